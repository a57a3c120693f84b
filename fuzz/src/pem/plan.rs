//! A body that is close to a key: the bytes of its DER, the form of its text, and changes of both.

use crate::drawing as arbitrary;
use crate::{
    reference::base64::{decode_standard, encode_standard},
    scene::load_balancer,
};
use derive_arbitrary::Arbitrary;

#[derive(Arbitrary, Debug)]
pub(super) struct Plan {
    key: u8,
    form: Form,
    /// How many bytes the limit is above or below the length of the body. Mostly, there is no limit.
    limit: u8,
    changes: Vec<Change>,
    text_changes: Vec<Change>,
}

/// How the base64 of a block becomes a text.
#[derive(Arbitrary, Debug)]
struct Form {
    label: u8,
    width: u8,
    ending: u8,
    last_ending: u8,
    before: u8,
}

#[derive(Arbitrary, Debug)]
enum Change {
    Set(u8, u8),
    Flip(u8, u8),
    Insert(u8, u8),
    Remove(u8),
    Cut(u8),
    Append(u8),
    /// Exchanges a byte of the text for one that is likely to matter.
    Likely(u8, u8),
}

const LABELS: [&str; 5] = ["PUBLIC KEY", "EC PUBLIC KEY", "CERTIFICATE", "EC PRIVATE KEY", "public key"];
const WIDTHS: [usize; 6] = [64, 76, 1, 63, 124, 4];
const ENDINGS: [&str; 6] = ["\n", "\r\n", "\r", "", "\n\n", " \n"];
const BEFORE: [&str; 5] = ["", "\n", " ", "Key: x\n", "\u{feff}"];
const LIKELY: [u8; 10] = *b"=-+/ \n\r\tA_";

impl Plan {
    pub(super) fn body(&self) -> Vec<u8> {
        let key = load_balancer::pem(self.key % load_balancer::KEYS);
        let base64: String = key.lines().filter(|line| !line.starts_with('-')).collect();
        let mut der = decode_standard(&base64).expect("the library writes base64");
        change(&mut der, &self.changes);
        let Form { label, width, ending, last_ending, before } = &self.form;
        let chosen = |texts: &[&'static str], number: &u8| texts[usize::from(*number) % texts.len()];
        let (label, ending, before) = (chosen(&LABELS, label), chosen(&ENDINGS, ending), chosen(&BEFORE, before));
        let width = WIDTHS[usize::from(*width) % WIDTHS.len()];
        let mut text = text(&der, label, width, ending).into_bytes();
        text.truncate(text.len() - ending.len());
        text.extend(chosen(&ENDINGS, last_ending).bytes());
        change(&mut text, &self.text_changes);
        [before.as_bytes(), &text].concat()
    }

    pub(super) fn limit(&self) -> u32 {
        match self.limit {
            limit @ 1..=3 => {
                (u32::try_from(self.body().len()).unwrap_or(u32::MAX) + u32::from(limit)).saturating_sub(2).max(1)
            }
            _ => 1_000,
        }
    }
}

/// Returns other texts of a block that may be in a body.
pub(super) fn respelled(der: &[u8]) -> [String; 5] {
    let plain = text(der, LABELS[0], 64, "\n");
    let (without_end, with_space) = (plain.trim_end().to_owned(), format!("\n{}\t\n", plain.replace('\n', " \r\n\n")));
    [plain, without_end, with_space, text(der, LABELS[0], 76, "\r\n"), text(der, LABELS[0], 1, "\n")]
}

fn text(der: &[u8], label: &str, width: usize, ending: &str) -> String {
    let base64 = encode_standard(der);
    let lines = base64.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into_owned());
    let lines = [format!("-----BEGIN {label}-----")].into_iter().chain(lines).chain([format!("-----END {label}-----")]);
    lines.map(|line| line + ending).collect()
}

fn change(bytes: &mut Vec<u8>, changes: &[Change]) {
    for change in changes.iter().take(4) {
        let at = |index: &u8| usize::from(*index) % bytes.len().max(1);
        match change {
            Change::Insert(index, byte) => bytes.insert(at(index), *byte),
            Change::Append(byte) => bytes.push(*byte),
            _ if bytes.is_empty() => {}
            Change::Set(index, byte) => {
                let index = at(index);
                bytes[index] = *byte;
            }
            Change::Flip(index, bit) => {
                let index = at(index);
                bytes[index] ^= 1 << (bit % 8);
            }
            Change::Remove(index) => {
                bytes.remove(at(index));
            }
            Change::Cut(index) => bytes.truncate(at(index)),
            Change::Likely(index, number) => {
                let index = at(index);
                bytes[index] = LIKELY[usize::from(*number) % LIKELY.len()];
            }
        }
    }
}
