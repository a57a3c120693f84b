//! Tokens and key sets from arguments, files and standard input.

use super::output::CommandError;
use poolgate::Algorithm;
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, IsTerminal, Read},
    path::Path,
};

/// The longest line that is kept. It is over every limit on tokens, so what is cut off would have been refused anyway.
const LINE_LIMIT: usize = (1 << 20) + 1;

/// A token from the argument, or from standard input where the argument is `-` or there is none.
pub fn token(argument: Option<&str>) -> Result<String, CommandError> {
    match argument {
        Some("-") => {}
        Some(token) => return Ok(token.to_owned()),
        None if io::stdin().is_terminal() => return Err(nothing_to_judge()),
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
            return Err(CommandError::Usage("standard input has several lines: judge them with --batch -".into()));
        }
    }
    match first {
        Some(line) => Ok(line),
        None if argument.is_none() => Err(nothing_to_judge()),
        None => Ok(String::new()),
    }
}

/// What was pasted with a token that no token has. It is judged as it is: this only says what to leave out.
pub fn hint(token: &str) -> Option<&'static str> {
    let text = token.trim();
    let is_quote = |letter: char| matches!(letter, '"' | '\'' | '`');
    if text.starts_with(is_quote) || text.ends_with(is_quote) {
        return Some("there are quotation marks around the token: leave them out");
    }
    let scheme = text.split_whitespace().next().unwrap_or_default();
    if ["bearer", "authorization:"].iter().any(|word| scheme.eq_ignore_ascii_case(word)) {
        return Some("the token follows a word of the header, such as Bearer: leave it out");
    }
    if text.contains(char::is_whitespace) {
        return Some("there is white space within the token: was it broken into lines?");
    }
    (text != token).then_some("there is white space around the token: leave it out")
}

fn nothing_to_judge() -> CommandError {
    CommandError::Usage("there is nothing to judge: give it as an argument, on standard input, or with --batch".into())
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

/// Algorithms by their names in RFC 7518 and RFC 8037.
pub fn algorithms(names: &[String]) -> Result<Vec<Algorithm>, CommandError> {
    let algorithm = |name: &String| {
        let known = Algorithm::ALL.iter().find(|algorithm| algorithm.jose_name().eq_ignore_ascii_case(name));
        known.copied().ok_or_else(|| {
            let all: Vec<&str> = Algorithm::ALL.iter().map(|algorithm| algorithm.jose_name()).collect();
            CommandError::Usage(format!("--alg {name}: not one of {} (`none` and HMAC never are)", all.join(", ")))
        })
    };
    names.iter().map(algorithm).collect()
}

fn unreadable(path: &Path, error: &io::Error) -> CommandError {
    CommandError::Usage(format!("could not read {}: {error}", path.display()))
}

/// Lines without their ends, each at most [`LINE_LIMIT`] long. What is not UTF-8 is replaced, and so never a token.
pub struct Lines {
    reader: BufReader<Box<dyn Read>>,
    /// Whether reading never waits for someone who writes.
    is_file: bool,
}

impl Lines {
    fn of(file: File) -> Self {
        let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
        Self { reader: BufReader::new(Box::new(file)), is_file }
    }

    /// Past the standard library's own buffer, which does not say what is in it.
    #[cfg(unix)]
    fn of_standard_input() -> io::Result<Self> {
        use std::os::fd::AsFd;
        Ok(Self::of(io::stdin().as_fd().try_clone_to_owned()?.into()))
    }

    #[cfg(not(unix))]
    fn of_standard_input() -> io::Result<Self> {
        Ok(Self { reader: BufReader::new(Box::new(io::stdin())), is_file: false })
    }

    /// Whether the next line may have to be waited for.
    pub fn may_wait(&self) -> bool {
        !self.is_file && !self.reader.buffer().contains(&b'\n')
    }

    /// Whether there is no further line; false too if that can't be known without waiting for one.
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
