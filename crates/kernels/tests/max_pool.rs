//! Max pooling and its gradient: bit for bit Burn's.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use kiln_kernels::{Window, max_pool2d};
use support::maps::{Map, assert_same, pass};
use support::reference::{output_dims, square};
use support::stock;

/// Eighths, for then the gradient of a pixel that won several windows is the same in any order.
fn gradient_of_result(x: &Map, window: Window) -> Map {
    Map::eighths("dy", output_dims(x.dims, x.dims[1], window))
}

fn check(what: &str, x: &Map, window: Window) {
    let dy = gradient_of_result(x, window);
    let (y, [dx]) = pass([x], &dy, |[x]| max_pool2d(x, window));
    let (stock_y, [stock_dx]) = pass([x], &dy, |[x]| stock::max_pool2d(x, window));
    assert_same(&format!("y of {what}, {:?}, {window:?}", x.dims), &y, &stock_y);
    assert_same(&format!("dx of {what}, {:?}, {window:?}", x.dims), &dx, &stock_dx);
}

const WINDOWS: [Window; 7] = [
    square(3, 2, 1),
    square(2, 2, 0),
    square(3, 1, 1),
    square(5, 3, 2),
    square(1, 2, 0),
    square(2, 3, 1),
    Window { kernel: [3, 2], stride: [1, 2], padding: [0, 1] },
];

#[test]
fn random_maps_are_pooled_alike() {
    for channels in [1, 9, 16, 33] {
        for [height, width] in [[9, 7], [8, 8], [5, 12], [3, 3]] {
            let x = Map::uniform("x", [2, channels, height, width]);
            for window in WINDOWS {
                check("random values", &x, window);
            }
        }
    }
}

#[test]
fn a_map_of_one_pixel_is_itself() {
    let x = Map::uniform("x", [3, 9, 1, 1]);
    for window in [square(1, 1, 0), square(3, 2, 1), square(2, 2, 1)] {
        check("one pixel", &x, window);
    }
}

#[test]
fn of_equal_values_the_first_wins() {
    for channels in [1, 9, 33] {
        for window in WINDOWS {
            check("a constant", &Map::filled(0.5, [2, channels, 9, 7]), window);
            // Few different values, so that many are equal.
            let x = Map::eighths("x", [2, channels, 9, 7]).map(|x| (x * 2.0).round());
            check("few values", &x, window);
        }
    }
}

#[test]
fn the_first_is_the_one_above_and_to_the_left() {
    let x = Map::filled(1.0, [1, 1, 4, 4]);
    let (_, [dx]) =
        pass([&x], &Map::filled(1.0, [1, 1, 2, 2]), |[x]| max_pool2d(x, square(2, 2, 0)));
    let first = [1.0, 0.0, 1.0, 0.0];
    let none = [0.0; 4];
    assert_eq!(dx.values, [first, none, first, none].concat());
    // With padding the first is the first inside of the map: rows and columns 0 and 1 for windows at -1 and 1.
    let (_, [dx]) =
        pass([&x], &Map::filled(1.0, [1, 1, 2, 2]), |[x]| max_pool2d(x, square(3, 2, 1)));
    let first = [1.0, 1.0, 0.0, 0.0];
    assert_eq!(dx.values, [first, first, none, none].concat());
}

#[test]
fn what_is_not_finite_goes_the_same_ways() {
    for channels in [1, 16, 33] {
        let x = Map::uniform("x", [2, channels, 9, 7]);
        let last = channels - 1;
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for window in WINDOWS {
                let one = x.clone().with([1, last, 4, 3], value);
                check(&format!("one {value}"), &one, window);
                let two = one.with([1, last, 4, 4], f64::NAN).with([0, 0, 1, 1], value);
                check(&format!("{value} and NaN"), &two, window);
            }
        }
    }
}

/// Nothing in a window is larger than where the search begins, and still its first pixel wins.
#[test]
fn a_window_of_nothing_but_one_value_has_a_winner() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for window in WINDOWS {
            check(&format!("all {value}"), &Map::filled(value, [2, 17, 9, 7]), window);
        }
    }
}
