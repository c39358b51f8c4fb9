//! What the tests of the program share.
#![allow(dead_code, reason = "each test is a program of its own that needs a part of this")]

pub(crate) mod workplace;
