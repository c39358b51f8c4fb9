//! Panics as values.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `work` gives, or the message of its panic. After a panic the caller must not go on with state that `work`
/// could leave half changed.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(caught(|| 7), Ok(7));
        let index = std::hint::black_box(3);
        let error = caught(|| [1, 2][index]).unwrap_err();
        assert_eq!(error, "index out of bounds: the len is 2 but the index is 3");
        assert_eq!(caught(|| std::panic::panic_any(3)), Err("no message".to_owned()));
        assert_eq!(caught::<()>(|| panic!("a word")), Err("a word".to_owned()));
    }
}
