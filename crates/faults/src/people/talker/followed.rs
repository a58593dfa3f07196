//! A room as a talker knows it: where it stands, on which way each entry came, and what must be asked for.

use tertulia_protocol::{Epoch, Seq};

use crate::journal::Src;

/// A room as somebody knows it.
pub(super) struct Followed {
    /// The store and the last entry applied; none before the first answer.
    pub(super) position: Option<(Epoch, Seq)>,
    /// Up to here entries were missed while the link was lost.
    pub(super) resumed_to: Seq,
    /// Up to here they belong to a fresh beginning.
    pub(super) afresh_to: Seq,
    /// What is being asked for.
    pull: Option<Pull>,
    /// Whether an answer came on this link, so that the person is there.
    pub(super) came: bool,
}

/// Entries that were asked for and have not come.
struct Pull {
    after: Seq,
    /// The last one that is known to be missing.
    to: Seq,
}

/// What a frame of entries meant.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// On which way each of its entries came.
    pub(super) ways: Vec<Src>,
    /// Numbers that are asked for because of it, or were asked for with others: the first and the last.
    pub(super) gaps: Vec<(Seq, Seq)>,
    /// After which number to ask now.
    pub(super) pull: Option<Seq>,
}

impl Followed {
    pub(super) const fn new() -> Self {
        Self { position: None, resumed_to: Seq::ZERO, afresh_to: Seq::ZERO, pull: None, came: false }
    }

    /// Takes the entries of one frame: applies what is next, and asks for what is missing.
    ///
    /// The answer to a pull is told from the stream by where it begins, right after what was asked from: the stream has
    /// jumped over that. It may reach further than anybody knew, and the stream then brings the same again, as is right.
    pub(super) fn take(&mut self, seqs: &[Seq]) -> Taken {
        let Some((_, last)) = &mut self.position else { return Taken::default() };
        let mut taken = Taken::default();
        let begins = seqs.first().copied();
        let answered = self.pull.take_if(|pull| begins.is_none_or(|first| first == pull.after.next()));
        let mut beyond = None;
        for &seq in seqs {
            taken.ways.push(match seq {
                _ if answered.is_some() => Src::History,
                seq if seq <= self.afresh_to => Src::Reset,
                seq if seq <= self.resumed_to => Src::Resume,
                _ => Src::Live,
            });
            if seq == last.next() {
                *last = seq;
            } else if seq > *last {
                beyond = Some(seq);
            }
        }
        let last = *last;
        match (answered, &mut self.pull, beyond) {
            (Some(Pull { to, .. }), ..) => {
                let reached = seqs.last().copied().unwrap_or(to);
                taken.gaps.extend((reached > to).then(|| (to.next(), reached)));
                // Longer than a page: the rest is asked for. An empty answer says that there is no rest.
                if last < to && begins.is_some() {
                    self.pull = Some(Pull { after: last, to });
                    taken.pull = Some(last);
                }
            }
            (None, Some(pull), Some(seq)) if seq > pull.to => {
                // Asked for along with the rest.
                taken.gaps.push((pull.to.next(), seq));
                pull.to = seq;
            }
            (None, None, Some(seq)) => {
                taken.gaps.push((last.next(), seq));
                self.pull = Some(Pull { after: last, to: seq });
                taken.pull = Some(last);
            }
            (None, ..) => {}
        }
        taken
    }

    /// The link is gone, and with it all that was under way on it.
    pub(super) fn lost(&mut self) {
        self.pull = None;
        self.afresh_to = Seq::ZERO;
        self.came = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seq: i64) -> Followed {
        Followed { position: Some((Epoch("e".to_owned()), Seq(seq))), ..Followed::new() }
    }

    fn take(followed: &mut Followed, seqs: &[i64]) -> Taken {
        followed.take(&seqs.iter().copied().map(Seq).collect::<Vec<_>>())
    }

    fn taken(ways: &[Src], gaps: &[(i64, i64)], pull: Option<i64>) -> Taken {
        let gaps = gaps.iter().map(|(first, last)| (Seq(*first), Seq(*last))).collect();
        Taken { ways: ways.to_vec(), gaps, pull: pull.map(Seq) }
    }

    fn stands(followed: &Followed) -> i64 {
        followed.position.as_ref().expect("it stands somewhere").1.0
    }

    #[test]
    fn each_entry_is_of_the_way_on_which_it_came() {
        let mut room = at(2);
        (room.afresh_to, room.resumed_to) = (Seq(3), Seq(5));
        assert_eq!(
            take(&mut room, &[3, 4, 5, 6]),
            taken(&[Src::Reset, Src::Resume, Src::Resume, Src::Live], &[], None)
        );
        assert_eq!(stands(&room), 6);
    }

    #[test]
    fn an_answer_that_reaches_further_than_the_gap_is_asked_for_as_a_whole_and_the_stream_goes_on() {
        let mut room = at(5);
        assert_eq!(take(&mut room, &[10]), taken(&[Src::Live], &[(6, 10)], Some(5)));
        let answer = take(&mut room, &[6, 7, 8, 9, 10, 11, 12]);
        assert_eq!(answer, taken(&[Src::History; 7], &[(11, 12)], None));
        assert_eq!(stands(&room), 12);
        assert_eq!(take(&mut room, &[11, 12, 13]), taken(&[Src::Live; 3], &[], None), "on the stream they come once");
        assert_eq!(stands(&room), 13);
    }

    #[test]
    fn a_gap_longer_than_a_page_is_asked_for_until_it_is_closed() {
        let mut room = at(0);
        assert_eq!(take(&mut room, &[9]).pull, Some(Seq(0)));
        assert_eq!(take(&mut room, &[10]), taken(&[Src::Live], &[(10, 10)], None), "one question at a time");
        assert_eq!(take(&mut room, &[1, 2, 3]), taken(&[Src::History; 3], &[], Some(3)));
        assert_eq!(take(&mut room, &[4, 5, 6, 7, 8, 9, 10]), taken(&[Src::History; 7], &[], None));
        assert_eq!(stands(&room), 10);
    }

    #[test]
    fn an_empty_answer_ends_the_question_and_a_lost_link_forgets_it() {
        let mut room = at(4);
        assert_eq!(take(&mut room, &[7]).pull, Some(Seq(4)));
        assert_eq!(take(&mut room, &[]), Taken::default());
        assert_eq!(take(&mut room, &[8]).pull, Some(Seq(4)), "still missing, so it is asked for again");
        room.lost();
        assert_eq!(take(&mut room, &[5, 6]), taken(&[Src::Live; 2], &[], None), "no answer any more");
    }
}
