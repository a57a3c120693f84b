//! A row of the table: a measurement and its target.

use serde_json::{Value, json};

/// A measured row.
pub struct Row {
    pub id: &'static str,
    /// The description.
    pub what: &'static str,
    pub measured: Measured,
    pub unit: &'static str,
    pub target: Target,
}

pub enum Measured {
    /// poolgate's value and another library's.
    Beside { ours: f64, peer: f64 },
    /// poolgate's value only.
    Alone(f64),
    /// Not measured, for this reason.
    Skipped(String),
}

/// The target of a row.
#[derive(Clone, Copy)]
pub enum Target {
    /// The ratio, or the value if there is nothing to compare with, is at most this.
    AtMost(f64),
    /// The ratio or value is at least this.
    AtLeast(f64),
}

impl Row {
    /// The ratio, or the value if there is nothing to compare with.
    fn compared(&self) -> Option<f64> {
        match self.measured {
            Measured::Beside { ours, peer } => Some(ours / peer),
            Measured::Alone(ours) => Some(ours),
            Measured::Skipped(_) => None,
        }
    }

    /// Whether the target is reached. `None` if the row was not measured.
    pub fn is_reached(&self) -> Option<bool> {
        self.compared().map(|value| match self.target {
            Target::AtMost(most) => value <= most,
            Target::AtLeast(least) => value >= least,
        })
    }

    pub fn json(&self) -> Value {
        let (ours, peer, skipped) = match &self.measured {
            Measured::Beside { ours, peer } => (Some(*ours), Some(*peer), None),
            Measured::Alone(ours) => (Some(*ours), None, None),
            Measured::Skipped(why) => (None, None, Some(why)),
        };
        let (Target::AtMost(target) | Target::AtLeast(target)) = self.target;
        let ratio = peer.and_then(|_| self.compared());
        let mut row = json!({ "id": self.id, "what": self.what, "ours": ours, "peer": peer, "unit": self.unit,
                              "ratio": ratio, "target": target, "reached": self.is_reached() });
        if let (Some(why), Some(members)) = (skipped, row.as_object_mut()) {
            members.insert("skipped".into(), why.as_str().into());
        }
        row
    }

    /// The cells of the table: description, poolgate, other library, ratio, target.
    pub fn cells(&self) -> [String; 5] {
        let number = |value: f64| if value < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") };
        let (ours, peer, ratio) = match &self.measured {
            Measured::Beside { ours, peer } => {
                (format!("{} {}", number(*ours), self.unit), number(*peer), format!("{:.2}", ours / peer))
            }
            Measured::Alone(ours) => (format!("{} {}", number(*ours), self.unit), String::new(), String::new()),
            Measured::Skipped(why) => (format!("skipped: {why}"), String::new(), String::new()),
        };
        let target = match self.target {
            Target::AtMost(most) => format!("≤ {most}"),
            Target::AtLeast(least) => format!("≥ {least}"),
        };
        [self.what.into(), ours, peer, ratio, target]
    }
}
