//! Tokens and key sets from arguments, files and standard input.

use super::output::CommandError;
use poolgate::Algorithm;
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, IsTerminal, Read},
    path::Path,
};

/// The maximum length of a line that is kept, in bytes. It exceeds every limit on tokens, so a longer line is rejected in any case.
const LINE_LIMIT: usize = (1 << 20) + 1;

/// The token from the argument, or from standard input if the argument is `-` or missing.
pub fn token(argument: Option<&str>) -> Result<String, CommandError> {
    match argument {
        Some("-") => {}
        Some(token) => return Ok(token.to_owned()),
        None if io::stdin().is_terminal() => return Err(no_input()),
        None => {}
    }
    let mut lines = Lines::of_standard_input().map_err(|error| unreadable(Path::new("standard input"), &error))?;
    let mut next = || -> Result<Option<String>, CommandError> {
        let unreadable = |error| CommandError::Usage(format!("could not read standard input: {error}"));
        lines.next().transpose().map_err(unreadable)
    };
    let first = next()?;
    while let Some(line) = next()? {
        if !line.is_empty() {
            return Err(CommandError::Usage(
                "standard input has several lines; use --batch - to verify each of them".into(),
            ));
        }
    }
    match first {
        Some(line) => Ok(line),
        None if argument.is_none() => Err(no_input()),
        None => Ok(String::new()),
    }
}

/// A hint about text that was pasted together with a token. The text is verified as it is, and the hint says what to remove.
pub fn hint(token: &str) -> Option<&'static str> {
    let text = token.trim();
    let is_quote = |letter: char| matches!(letter, '"' | '\'' | '`');
    if text.starts_with(is_quote) || text.ends_with(is_quote) {
        return Some("there are quotation marks around the token; remove them");
    }
    let scheme = text.split_whitespace().next().unwrap_or_default();
    if ["bearer", "authorization:"].iter().any(|word| scheme.eq_ignore_ascii_case(word)) {
        return Some("there is a word such as Bearer before the token; remove it");
    }
    if text.contains(char::is_whitespace) {
        return Some("there is white space within the token; it may have been broken into lines");
    }
    (text != token).then_some("there is white space around the token; remove it")
}

fn no_input() -> CommandError {
    CommandError::Usage("no input; pass it as an argument, on standard input, or with --batch".into())
}

/// The lines of a file, or of standard input where the path is `-`.
pub fn lines(path: &Path) -> Result<Lines, CommandError> {
    let failed = |error| unreadable(path, &error);
    if path.as_os_str() == "-" {
        return Lines::of_standard_input().map_err(failed);
    }
    let file = File::open(path).map_err(failed)?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(CommandError::Usage(format!("{} is a directory", path.display())));
    }
    Ok(Lines::of(file))
}

/// A JWK Set from a file.
pub fn key_set(path: &Path) -> Result<Vec<u8>, CommandError> {
    fs::read(path).map_err(|error| unreadable(path, &error))
}

/// Parses algorithm names (RFC 7518, RFC 8037).
pub fn algorithms(names: &[String]) -> Result<Vec<Algorithm>, CommandError> {
    let algorithm = |name: &String| {
        // RFC 9864 names EdDSA by its curve.
        let name = if name.eq_ignore_ascii_case("Ed25519") { "EdDSA" } else { name };
        let known = Algorithm::ALL.iter().find(|algorithm| algorithm.jose_name().eq_ignore_ascii_case(name));
        known.copied().ok_or_else(|| {
            let all: Vec<&str> = Algorithm::ALL.iter().map(|algorithm| algorithm.jose_name()).collect();
            CommandError::Usage(format!(
                "--alg {name}: must be one of {} (`none` and HMAC are not supported)",
                all.join(", ")
            ))
        })
    };
    names.iter().map(algorithm).collect()
}

fn unreadable(path: &Path, error: &io::Error) -> CommandError {
    CommandError::Usage(format!("could not read {}: {error}", path.display()))
}

/// Lines without line endings, each cut off after [`LINE_LIMIT`] bytes. Invalid UTF-8 is replaced, which makes the token invalid.
pub struct Lines {
    reader: BufReader<Box<dyn Read>>,
    /// Whether the input is a regular file, so that reading never waits for a writer.
    is_file: bool,
}

impl Lines {
    fn of(file: File) -> Self {
        let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
        Self { reader: BufReader::new(Box::new(file)), is_file }
    }

    /// Reads standard input without the standard library's buffer, whose content cannot be queried.
    #[cfg(unix)]
    fn of_standard_input() -> io::Result<Self> {
        use std::os::fd::AsFd;
        Ok(Self::of(io::stdin().as_fd().try_clone_to_owned()?.into()))
    }

    #[cfg(not(unix))]
    fn of_standard_input() -> io::Result<Self> {
        Ok(Self { reader: BufReader::new(Box::new(io::stdin())), is_file: false })
    }

    /// Whether reading the next line may block.
    pub fn may_wait(&self) -> bool {
        !self.is_file && !self.reader.buffer().contains(&b'\n')
    }

    /// Whether there is no further line. `false` also if this cannot be determined without blocking.
    pub fn are_known_to_be_over(mut self) -> bool {
        self.is_file && self.next().is_none()
    }

    fn read(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let limit = u64::try_from(LINE_LIMIT).unwrap_or(u64::MAX);
        if self.reader.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.ends_with(b"\n") {
            line.pop();
        } else {
            self.reader.skip_until(b'\n')?;
        }
        if line.ends_with(b"\r") {
            line.pop();
        }
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }
}

impl Iterator for Lines {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
