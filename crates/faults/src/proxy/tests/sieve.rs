//! What Redis says, in every possible piece: messages are taken out whole, everything else is left as it was.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::super::sieve::Sieve;

fn text(bytes: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

fn list(sign: char, parts: &[&[u8]]) -> Vec<u8> {
    let parts: Vec<u8> = parts.iter().flat_map(|part| text(part)).collect();
    [format!("{sign}{}\r\n", parts_of(&parts, sign)).as_bytes(), &parts].concat()
}

/// How many texts there are; they hold no `$` of their own in these tests unless they are counted by hand.
fn parts_of(parts: &[u8], sign: char) -> usize {
    let count = parts.windows(2).filter(|pair| pair[0] == b'$' && pair[1].is_ascii_digit()).count();
    if sign == '%' { count / 2 } else { count }
}

/// Replies that are no messages, though some look like it.
fn replies() -> Vec<Vec<u8>> {
    let disguised = [b"*3\r\n$9\r\nsubscribe\r\n".as_slice(), &text(b"room"), b":1\r\n"].concat();
    let inner = text(b"*3\r\n$7\r\nmessage\r\n");
    vec![
        b"+OK\r\n".to_vec(),
        b"-ERR message of an error\r\n".to_vec(),
        b":1234\r\n".to_vec(),
        b"$-1\r\n".to_vec(),
        b"*-1\r\n".to_vec(),
        b"*0\r\n".to_vec(),
        b"_\r\n".to_vec(),
        b"#t\r\n".to_vec(),
        b",3.25\r\n".to_vec(),
        b"(3492890328409238509324850943850943825024385\r\n".to_vec(),
        text(b""),
        text(b"message"),
        text(&[b'x'; 100_000]),
        inner,
        disguised,
        list('*', &[b"message", b"only two"]),
        list('*', &[b"messages", b"a", b"b"]),
        list('>', &[b"invalidate", b"a", b"b"]),
        list('%', &[b"message", b"a", b"b", b"c"]),
        b"~3\r\n$7\r\nmessage\r\n:1\r\n:2\r\n".to_vec(),
        b"*3\r\n+message\r\n:1\r\n:2\r\n".to_vec(),
        b"*2\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n:7\r\n".to_vec(),
        b"|1\r\n+ttl\r\n:3600\r\n*3\r\n:1\r\n:2\r\n:3\r\n".to_vec(),
        b"=15\r\ntxt:Some string\r\n".to_vec(),
        b"!21\r\nSYNTAX invalid syntax\r\n".to_vec(),
    ]
}

fn messages() -> Vec<Vec<u8>> {
    vec![
        list('*', &[b"message", b"room:1", b"hello"]),
        list('>', &[b"message", b"room:1", b""]),
        list('>', &[b"smessage", b"{room:1}", b"hello"]),
        list('*', &[b"pmessage", b"room:*", b"room:1", b"hello"]),
        list('*', &[b"message", b"room:2", &[b'y'; 70_000]]),
        list('>', &[b"message", b"room:3", b"\r\n\r\n+OK\r\n"]),
    ]
}

/// Sends bytes through in pieces, every n-th message dropped.
fn sift(pieces: impl IntoIterator<Item = Vec<u8>>, every: usize) -> (Vec<u8>, usize) {
    let (mut sieve, mut seen) = (Sieve::default(), 0);
    let mut kept = Vec::new();
    for piece in pieces {
        kept.extend(sieve.sift(&piece, || {
            seen += 1;
            every > 0 && seen % every == 0
        }));
    }
    (kept, seen)
}

#[test]
fn only_messages_are_taken_for_messages() {
    for reply in replies() {
        let (kept, seen) = sift([reply.clone(), b"+OK\r\n".to_vec()], 1);
        assert_eq!(seen, 0, "{}", String::from_utf8_lossy(&reply[..reply.len().min(60)]));
        assert!(kept == [reply, b"+OK\r\n".to_vec()].concat());
    }
    for message in messages() {
        let (kept, seen) = sift([message.clone(), b"+OK\r\n".to_vec()], 1);
        assert_eq!((seen, kept.as_slice()), (1, b"+OK\r\n".as_slice()), "{}", String::from_utf8_lossy(&message[..40]));
        assert!(sift([message.clone()], 0).0 == message, "one that is not to be dropped passes whole");
    }
}

#[test]
fn every_nth_message_is_missing_however_the_bytes_are_cut() {
    for seed in 0..60 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let (replies, messages) = (replies(), messages());
        let every = rng.random_range(1..=4);
        let (mut said, mut wanted, mut count) = (Vec::new(), Vec::new(), 0);
        for _ in 0..40 {
            if rng.random() {
                let reply = &replies[rng.random_range(0..replies.len())];
                said.extend_from_slice(reply);
                wanted.extend_from_slice(reply);
            } else {
                let message = &messages[rng.random_range(0..messages.len())];
                said.extend_from_slice(message);
                count += 1;
                if count % every != 0 {
                    wanted.extend_from_slice(message);
                }
            }
        }
        let most = [3, 20, 5_000][seed as usize % 3];
        let mut pieces = Vec::new();
        let mut rest = said.as_slice();
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(rng.random_range(1..=most).min(rest.len()));
            pieces.push(piece.to_vec());
            rest = later;
        }
        let (kept, seen) = sift(pieces, every);
        assert!(count > 0 && seen == count, "premise: messages were seen, seed {seed}");
        assert!(kept == wanted, "seed {seed}: {} bytes kept, {} wanted", kept.len(), wanted.len());
    }
}

#[test]
fn nothing_is_kept_back_but_the_head_of_what_may_be_a_message() {
    let mut sieve = Sieve::default();
    let never = || false;
    assert_eq!(sieve.sift(b"+PO", never), b"+PO");
    assert_eq!(sieve.sift(b"NG\r\n", never), b"NG\r\n");
    let endless = [b"*".as_slice(), &[b'1'; 1_000]].concat();
    assert_eq!(Sieve::default().sift(&endless, never), endless);
    assert_eq!(sieve.sift(b"*3\r\n$7\r\nmess", never), b"");
    let head = b"*3\r\n$7\r\nmessage\r\n";
    assert_eq!(sieve.sift(b"age\r\n", never), head);
    assert_eq!(sieve.sift(b"$5\r\nro", never), b"$5\r\nro");
}

#[test]
fn what_is_not_of_redis_passes_as_it_is() {
    let strange: Vec<Vec<u8>> = vec![
        b"HTTP/1.1 200 OK\r\n\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n".to_vec(),
        b"*three\r\n".to_vec(),
        b"\r\n\r\n".to_vec(),
        b"*99999999999999999999\r\nx".to_vec(),
        [b"*3".as_slice(), &[b'0'; 100], b"\r\n$7\r\nmessage\r\n"].concat(),
        b"*9223372036854775807\r\n*9223372036854775807\r\n*9223372036854775807\r\n:1\r\n".to_vec(),
        b"$9223372036854775807\r\nabc".to_vec(),
        vec![0, 255, 10, 13, 42],
    ];
    for bytes in strange {
        let pieces = bytes.iter().map(|byte| vec![*byte]);
        let (kept, seen) = sift(pieces.chain([b"more\n".to_vec()]), 1);
        assert_eq!(seen, 0);
        assert!(kept == [bytes.as_slice(), b"more\n"].concat(), "{}", String::from_utf8_lossy(&bytes));
    }
}
