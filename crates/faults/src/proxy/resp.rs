//! Where an answer of Redis ends, and whether it is a published message (RESP2 and RESP3).

/// How long the answer at the beginning of some bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// So many bytes, all there.
    Whole(usize),
    /// Its end is still to come.
    Begun,
    /// No answer of Redis.
    Foreign,
}

/// Deepest nesting that is followed: answers to an instance have two.
const DEPTH: usize = 8;

/// Measures the first answer.
pub(super) fn length(bytes: &[u8]) -> Length {
    measure(bytes, DEPTH)
}

fn measure(bytes: &[u8], depth: usize) -> Length {
    let Some(&mark) = bytes.first() else { return Length::Begun };
    if !b"+-:,#(_$=!*~>%|".contains(&mark) || depth == 0 {
        return Length::Foreign;
    }
    let Some(line) = bytes.windows(2).position(|pair| pair == b"\r\n") else { return Length::Begun };
    let head = line + 2;
    let number = std::str::from_utf8(&bytes[1..line]).ok().and_then(|text| text.parse::<i64>().ok());
    match mark {
        b'+' | b'-' | b':' | b',' | b'#' | b'(' | b'_' => Length::Whole(head),
        b'$' | b'=' | b'!' => match number {
            Some(length) => {
                // `-1` stands for nothing at all, without an end of its own.
                let body = usize::try_from(length).map_or(0, |length| length + 2);
                if bytes.len() >= head + body { Length::Whole(head + body) } else { Length::Begun }
            }
            None => Length::Foreign,
        },
        _ => {
            let Some(count) = number else { return Length::Foreign };
            let count = usize::try_from(count).unwrap_or(0) * if matches!(mark, b'%' | b'|') { 2 } else { 1 };
            let mut at = head;
            for _ in 0..count {
                match measure(&bytes[at..], depth - 1) {
                    Length::Whole(length) => at += length,
                    other => return other,
                }
            }
            Length::Whole(at)
        }
    }
}

/// Whether a whole answer is a message on its way to a subscriber.
pub(super) fn is_published(answer: &[u8]) -> bool {
    let Some(line) = answer.windows(2).position(|pair| pair == b"\r\n") else { return false };
    let is_list = matches!(answer.first(), Some(b'*' | b'>'));
    let first = &answer[line + 2..];
    is_list
        && [&b"$7\r\nmessage\r\n"[..], b"$8\r\npmessage\r\n", b"$8\r\nsmessage\r\n"]
            .iter()
            .any(|word| first.starts_with(word))
}
