//! Who is there, and who is said to be: short absences stay unsaid, long ones are told once.

use std::collections::BTreeSet;

use rand::Rng;
use tertulia_protocol::RoomId;

use super::{END, TERMS, World};
use crate::journal::{Life, Mono, Person, Presence, Told, What};

const PEOPLE: [&str; 4] = ["Ana", "Ben", "Cleo", "Dora"];
const OBSERVERS: [&str; 2] = ["v1", "v2"];

/// What the server says of somebody, and when.
type Said = (Mono, &'static str, Told);

impl World {
    pub(super) fn people(&mut self) {
        let room = RoomId(1);
        let mut said: Vec<Said> = Vec::new();
        for who in PEOPLE {
            self.live(room, who, &mut said);
        }
        said.sort_by_key(|(at, ..)| *at);
        for observer in OBSERVERS {
            self.watch(observer, room, &said);
        }
    }

    fn live(&mut self, room: RoomId, who: &'static str, said: &mut Vec<Said>) {
        let mut now = Mono(self.rng.random_range(0..5_000_000_000));
        let mut shown = false;
        while now < END {
            self.person(now, room, who, Life::Came);
            if !shown {
                said.push((now + self.ms(0, 100), who, Told::Joined));
                shown = true;
            }
            now = now + self.ms(500, 15_000);
            self.person(now, room, who, Life::Went);
            let short = self.percent(40);
            let away = if short { self.ms(1, 1_900) } else { self.ms(2_500, 30_000) };
            if !short {
                said.push((now + TERMS.grace + self.ms(10, 300), who, Told::Left));
                shown = false;
            }
            now = now + away;
        }
    }

    fn person(&mut self, at: Mono, room: RoomId, who: &str, t: Life) {
        if at < END {
            self.note(at, who, What::Person(Person { room, who: who.to_owned(), t, via: "d".to_owned(), since: None }));
        }
    }

    /// An observer whose link breaks now and then: afterwards it gets the whole list.
    fn watch(&mut self, p: &str, room: RoomId, said: &[Said]) {
        let mut here: BTreeSet<&str> = BTreeSet::new();
        let mut away_until = None;
        self.tell(Mono(0), p, room, Told::List, &here);
        for &(at, who, told) in said.iter().filter(|(at, ..)| *at < END) {
            if let Some(back) = away_until.filter(|back| *back <= at) {
                self.tell(back, p, room, Told::List, &here);
                away_until = None;
            }
            match told {
                Told::Left => drop(here.remove(who)),
                _ => drop(here.insert(who)),
            }
            if away_until.is_none() {
                if self.percent(10) {
                    self.note(at, p, What::Lost { own: false });
                    away_until = Some(at + self.ms(10, 3_000));
                } else {
                    self.tell(at, p, room, told, &BTreeSet::from([who]));
                }
            }
        }
        if let Some(back) = away_until {
            self.tell(back, p, room, Told::List, &here);
        }
    }

    fn tell(&mut self, at: Mono, p: &str, room: RoomId, t: Told, who: &BTreeSet<&str>) {
        let who = who.iter().map(|who| (*who).to_owned()).collect();
        self.note(at, p, What::Presence(Presence { room, t, who }));
    }
}
