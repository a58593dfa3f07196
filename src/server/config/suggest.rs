//! "Did you mean": the known name nearest to one that was mistyped.

/// Longest name that is compared, in characters: twice the longest of ours; the cost grows with the square.
const COMPARED_CHARS: usize = 64;

/// The nearest of the known names, if it is near enough to be meant: a third of its length may differ.
pub(super) fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase().replace('-', "_");
    if typed.chars().count() > COMPARED_CHARS {
        return None;
    }
    known
        .map(|name| (distance(&typed, name), name))
        .filter(|(far, name)| *far <= (name.len() / 3).max(1))
        .min()
        .map(|(_, name)| name)
}

/// How many characters must be inserted, removed or replaced to make one of the other (Levenshtein), where two
/// neighbours that changed places count as one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let mut cost = (last[j] + usize::from(from != to)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *from == b[j - 1] && a[i - 1] == *to {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
