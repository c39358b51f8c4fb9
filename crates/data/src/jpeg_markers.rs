//! Whether a JPEG is all there.
//!
//! The decoder fills what is missing with grey and says nothing, and a network would happily train on it. Pillow
//! refuses such files, and so does Kiln.

const MARKER: u8 = 0xff;
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;

/// Whether no end-of-image marker follows the first scan of the JPEG in `bytes`.
///
/// Segments before the scan are stepped over, because an embedded thumbnail has an end of its own. What cannot
/// be parsed is left for the decoder to judge.
pub(crate) fn is_cut_off(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        match *rest {
            // Any number of fill bytes may precede a marker.
            [MARKER, MARKER, ..] => rest = &rest[1..],
            [MARKER, START_OF_SCAN, ref scan @ ..] => {
                return !scan.windows(2).rev().any(|pair| pair == [MARKER, END_OF_IMAGE]);
            }
            [MARKER, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                match rest.get(2 + length..) {
                    Some(after) => rest = after,
                    None => return true,
                }
            }
            [] | [MARKER] | [MARKER, _] | [MARKER, _, _] => return true,
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_cut_off;

    #[test]
    fn the_end_is_looked_for_after_the_scan_only() {
        let check = |bytes: &[u8], cut_off| assert_eq!(is_cut_off(bytes), cut_off, "{bytes:x?}");
        check(b"", true);
        check(b"\xff\xd8", true);
        check(b"\xff\xd8\xff\xda\x00\x02abc", true);
        check(b"\xff\xd8\xff\xda\x00\x02abc\xff\xd9", false);
        check(b"\xff\xd8\xff\xda\x00\x02abc\xff\xd9 trailing bytes", false);
        // A thumbnail with its own end, then a picture without.
        check(b"\xff\xd8\xff\xe1\x00\x06\xff\xd9..\xff\xda\x00\x02abc", true);
        check(b"\xff\xd8\xff\xe1\x00\x06\xff\xd9..\xff\xff\xda\x00\x02abc\xff\xd9", false);
        // A segment that claims to reach past the end.
        check(b"\xff\xd8\xff\xe1\xff\xff\xff\xd9", true);
    }
}
