//! JSON (RFC 8259) as a tree that preserves the order of members, duplicates, and the text of each number.

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    /// The text of the number.
    Number(String),
    String(String),
    Array(Vec<Tree>),
    /// Members in order, with their duplicates.
    Object(Vec<(String, Tree)>),
}

/// Why a text is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParseError {
    /// It is not one JSON value within the maximum depth, or has a number that no double can represent.
    Rejected,
    /// It has a number so close to the largest double that parsers round it differently.
    Unsure,
}

impl Tree {
    /// Parses a text that is one JSON value, nested at most `depth` levels deep.
    pub(crate) fn read(bytes: &[u8], depth: u32) -> Result<Self, ParseError> {
        let text = std::str::from_utf8(bytes).map_err(|_| ParseError::Rejected)?;
        let mut rest = Rest(text);
        let tree = rest.value(depth)?;
        rest.space();
        if rest.0.is_empty() { Ok(tree) } else { Err(ParseError::Rejected) }
    }

    /// Returns whether an object in it, at any depth, has two members of the same name.
    pub(crate) fn has_duplicates(&self) -> bool {
        match self {
            Tree::Object(_) if self.is_ambiguous() => true,
            Tree::Object(members) => members.iter().any(|(_, value)| value.has_duplicates()),
            Tree::Array(values) => values.iter().any(Tree::has_duplicates),
            _ => false,
        }
    }

    /// Returns whether it is an object with two members of the same name.
    pub(crate) fn is_ambiguous(&self) -> bool {
        let Tree::Object(members) = self else { return false };
        members.iter().enumerate().any(|(at, (name, _))| members[..at].iter().any(|(earlier, _)| earlier == name))
    }

    /// Returns the first member with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Tree> {
        let Tree::Object(members) = self else { return None };
        members.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Tree::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a number that consists of digits only and is below 2^64.
    pub(crate) fn as_u64(&self) -> Option<u64> {
        match self {
            Tree::Number(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            _ => None,
        }
    }

    /// Returns the nearest double of a number.
    pub(crate) fn as_f64(&self) -> Option<f64> {
        match self {
            Tree::Number(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// The rest of the text.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn space(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn took(&mut self, text: &str) -> bool {
        let rest = self.0.strip_prefix(text);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn take(&mut self, text: &str) -> Result<(), ParseError> {
        if self.took(text) { Ok(()) } else { Err(ParseError::Rejected) }
    }

    fn value(&mut self, depth: u32) -> Result<Tree, ParseError> {
        self.space();
        match self.0.chars().next().ok_or(ParseError::Rejected)? {
            'n' => self.take("null").map(|()| Tree::Null),
            't' => self.take("true").map(|()| Tree::Bool(true)),
            'f' => self.take("false").map(|()| Tree::Bool(false)),
            '"' => self.string().map(Tree::String),
            '[' => {
                let depth = depth.checked_sub(1).ok_or(ParseError::Rejected)?;
                self.list("[", "]", |rest| rest.value(depth)).map(Tree::Array)
            }
            '{' => {
                let depth = depth.checked_sub(1).ok_or(ParseError::Rejected)?;
                let member = |rest: &mut Self| {
                    rest.space();
                    let name = rest.string()?;
                    rest.space();
                    rest.take(":")?;
                    Ok((name, rest.value(depth)?))
                };
                self.list("{", "}", member).map(Tree::Object)
            }
            _ => self.number(),
        }
    }

    fn list<T>(
        &mut self,
        open: &str,
        close: &str,
        item: impl Fn(&mut Self) -> Result<T, ParseError>,
    ) -> Result<Vec<T>, ParseError> {
        self.take(open)?;
        self.space();
        let mut items = Vec::new();
        if self.took(close) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            self.space();
            if self.took(close) {
                return Ok(items);
            }
            self.take(",")?;
        }
    }

    fn string(&mut self) -> Result<String, ParseError> {
        self.take("\"")?;
        let mut units: Vec<u16> = Vec::new();
        loop {
            let character = self.0.chars().next().ok_or(ParseError::Rejected)?;
            self.0 = &self.0[character.len_utf8()..];
            match character {
                '"' => return String::from_utf16(&units).map_err(|_| ParseError::Rejected),
                '\\' => units.push(self.escaped()?),
                '\0'..='\u{1f}' => return Err(ParseError::Rejected),
                character => units.extend_from_slice(character.encode_utf16(&mut [0; 2])),
            }
        }
    }

    fn escaped(&mut self) -> Result<u16, ParseError> {
        for (letter, unit) in
            [("\"", 0x22), ("\\", 0x5c), ("/", 0x2f), ("b", 8), ("f", 12), ("n", 10), ("r", 13), ("t", 9)]
        {
            if self.took(letter) {
                return Ok(unit);
            }
        }
        self.take("u")?;
        let digits = self.0.get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()).ok_or(ParseError::Rejected)?;
        self.0 = &self.0[4..];
        Ok(unit)
    }

    fn number(&mut self) -> Result<Tree, ParseError> {
        let start = self.0;
        self.took("-");
        if !self.took("0") {
            self.digits()?;
        }
        if self.took(".") {
            self.digits()?;
        }
        if self.took("e") || self.took("E") {
            let _ = self.took("+") || self.took("-");
            self.digits()?;
        }
        let text = &start[..start.len() - self.0.len()];
        let number = text.parse::<f64>().map_err(|_| ParseError::Rejected)?.abs();
        match number {
            _ if number == f64::INFINITY && !is_at_the_limit(text) => Err(ParseError::Rejected),
            _ if number > 1.797e308 => Err(ParseError::Unsure),
            _ => Ok(Tree::Number(text.to_owned())),
        }
    }

    fn digits(&mut self) -> Result<(), ParseError> {
        let rest = self.0.trim_start_matches(|character: char| character.is_ascii_digit());
        let is_something = rest.len() < self.0.len();
        self.0 = rest;
        if is_something { Ok(()) } else { Err(ParseError::Rejected) }
    }
}

/// Returns whether a number that rounds to infinity is so close to the limit that another parser may round it to the largest double.
fn is_at_the_limit(text: &str) -> bool {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let tenth = exponent
        .parse::<i64>()
        .ok()
        .and_then(|power| format!("{digits}e{}", power.saturating_sub(1)).parse::<f64>().ok());
    tenth.is_some_and(|tenth| tenth.abs() < 1.798e307)
}
