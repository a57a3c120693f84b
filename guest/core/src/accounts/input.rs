//! Input checks before Cognito is called: lengths and characters, with the limits of the user pools API. The messages depend on the input
//! alone, and do not repeat it.

use super::{AccountError, AccountErrorCode, Attribute, PasswordPolicy};
use alloc::string::String;

type Checked = Result<(), AccountError>;

/// `UsernameType`: 1 to 128 letters, marks, numbers, symbols, punctuation.
pub(super) fn username(text: &str) -> Checked {
    if text.is_empty() {
        return Err(AccountError::invalid("username: must not be empty"));
    }
    if text.chars().count() > 128 {
        return Err(AccountError::invalid("username: must have at most 128 characters"));
    }
    if !is_printable(text) {
        return Err(AccountError::invalid("username: must not contain white space or control characters"));
    }
    Ok(())
}

/// `PasswordType`: an existing password, which may satisfy an older policy.
pub(super) fn password(text: &str) -> Checked {
    match text.chars().count() {
        0 => Err(AccountError::invalid("password: must not be empty")),
        1..=256 => Ok(()),
        _ => Err(AccountError::invalid("password: must have at most 256 characters")),
    }
}

/// A new password, which must satisfy the policy.
pub(super) fn new_password(text: &str, policy: &PasswordPolicy) -> Checked {
    password(text)?;
    let rejected = |meaning| Err(AccountError::new(AccountErrorCode::PasswordRejected, "password policy", meaning));
    if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        return rejected("password: must not begin or end with white space");
    }
    if text.chars().count() < policy.min_length as usize {
        return rejected("password: is too short");
    }
    if policy.uppercase && !text.contains(|c: char| c.is_ascii_uppercase()) {
        return rejected("password: must contain an uppercase letter");
    }
    if policy.lowercase && !text.contains(|c: char| c.is_ascii_lowercase()) {
        return rejected("password: must contain a lowercase letter");
    }
    if policy.number && !text.contains(|c: char| c.is_ascii_digit()) {
        return rejected("password: must contain a digit");
    }
    if policy.symbol && !text.contains(|c: char| is_symbol(c)) {
        return rejected("password: must contain a symbol");
    }
    Ok(())
}

/// The characters that Cognito accepts as symbols: ASCII punctuation, and a space that is not at the beginning or end.
fn is_symbol(c: char) -> bool {
    c.is_ascii_punctuation() || c == ' '
}

/// `ConfirmationCodeType`: 1 to 2,048 characters, none of them a space.
pub(super) fn code(text: &str) -> Checked {
    if text.is_empty() {
        return Err(AccountError::invalid("code: must not be empty"));
    }
    if text.len() > 2_048 {
        return Err(AccountError::invalid("code: must have at most 2,048 characters"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(AccountError::invalid("code: must contain only printable ASCII characters without spaces"));
    }
    Ok(())
}

/// `SoftwareTokenMFAUserCodeType`: six digits.
pub(super) fn totp_code(text: &str) -> Checked {
    match text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(()),
        false => Err(AccountError::invalid("code: must have six digits")),
    }
}

/// `SessionType`: 20 to 2,048 characters.
pub(super) fn session(text: &str) -> Checked {
    match (20..=2_048).contains(&text.len()) && is_printable(text) {
        true => Ok(()),
        false => Err(AccountError::invalid("session: is not valid")),
    }
}

/// `TokenModelType`, with a maximum length.
pub(super) fn refresh_token(text: &str) -> Checked {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=.+/".contains(&byte);
    match (1..=16_384).contains(&text.len()) && text.bytes().all(is_token) {
        true => Ok(()),
        false => Err(AccountError::invalid("refresh_token: is not valid")),
    }
}

/// `StringType`, for the name of a device.
pub(super) fn device_name(text: &str) -> Checked {
    match text.chars().count() <= 128 && !text.contains(char::is_control) {
        true => Ok(()),
        false => Err(AccountError::invalid("device_name: must have at most 128 characters, and no control characters")),
    }
}

/// `AttributeNameType`: 1 to 32 letters, marks, numbers, symbols, punctuation.
pub(super) fn attribute_name(text: &str) -> Checked {
    match (1..=32).contains(&text.chars().count()) && is_printable(text) {
        true => Ok(()),
        false => Err(AccountError::invalid("attributes: a name must have from 1 to 32 characters, and no white space")),
    }
}

/// Attributes: at most 64, without duplicate names, with values of at most 2,048 characters. Standard attributes must have their formats.
pub(super) fn attributes(attributes: &[Attribute]) -> Checked {
    if attributes.len() > 64 {
        return Err(AccountError::invalid("attributes: there must be at most 64"));
    }
    for (index, attribute) in attributes.iter().enumerate() {
        attribute_name(&attribute.name)?;
        if attributes.iter().take(index).any(|earlier| earlier.name == attribute.name) {
            return Err(AccountError::invalid("attributes: a name must not occur twice"));
        }
        if attribute.value.chars().count() > 2_048 {
            return Err(AccountError::invalid("attributes: a value must have at most 2,048 characters"));
        }
        if attribute.value.contains(char::is_control) {
            return Err(AccountError::invalid("attributes: a value must not contain control characters"));
        }
        match attribute.name.as_str() {
            "email" if !is_email(&attribute.value) => {
                return Err(AccountError::invalid("attributes: email must be an email address"));
            }
            "phone_number" if !is_phone(&attribute.value) => {
                return Err(AccountError::invalid("attributes: phone_number must be + and 7 to 15 digits (E.164)"));
            }
            "sub" | "email_verified" | "phone_number_verified" | "identities" => {
                return Err(AccountError::invalid("attributes: a read-only attribute cannot be set"));
            }
            name if name.starts_with("dev:") || name.starts_with("cognito:") => {
                return Err(AccountError::invalid("attributes: a read-only attribute cannot be set"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether users can sign in with the attribute, so that another account may have the same value ("Customizing sign-in attributes",
/// Amazon Cognito developer guide).
pub(super) fn is_alias(attribute: &Attribute) -> bool {
    matches!(attribute.name.as_str(), "email" | "phone_number" | "preferred_username")
}

/// The attributes that a sign-up must contain.
pub(super) fn required(names: &[String], attributes: &[Attribute]) -> Checked {
    let has = |name: &String| attributes.iter().any(|attribute| attribute.name == *name && !attribute.value.is_empty());
    match names.iter().all(has) {
        true => Ok(()),
        false => Err(AccountError::invalid("attributes: a required attribute is missing")),
    }
}

/// One `@` with text on both sides, within the lengths of RFC 5321 section 4.5.3.1.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let has_dots_in_place = !domain.starts_with('.') && !domain.ends_with('.') && !domain.contains("..");
    !local.is_empty()
        && local.len() <= 64
        && !domain.is_empty()
        && domain.len() <= 255
        && !domain.contains('@')
        && has_dots_in_place
        && is_printable(text)
}

/// E.164: `+` and 7 to 15 digits.
pub(super) fn is_phone(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|digits| (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_printable(text: &str) -> bool {
    !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(checked: Checked) -> Option<&'static str> {
        checked.err().and_then(|error| error.detail)
    }

    #[test]
    fn new_passwords_must_satisfy_the_policy() {
        let policy = PasswordPolicy::default();
        for (password, expected) in [
            ("Correct-Horse-7", None),
            ("Correct Horse 7", None),
            ("", Some("password: must not be empty")),
            ("Ab1!", Some("password: is too short")),
            ("correct-horse-7", Some("password: must contain an uppercase letter")),
            ("CORRECT-HORSE-7", Some("password: must contain a lowercase letter")),
            ("Correct-Horse-S", Some("password: must contain a digit")),
            ("CorrectHorse7", Some("password: must contain a symbol")),
            (" Correct-Horse-7", Some("password: must not begin or end with white space")),
        ] {
            assert_eq!(detail(new_password(password, &policy)), expected, "{password}");
        }
        let lax = PasswordPolicy { min_length: 6, uppercase: false, lowercase: false, number: false, symbol: false };
        assert_eq!(detail(new_password("aaaaaa", &lax)), None);
        assert_eq!(detail(password(&"x".repeat(257))), Some("password: must have at most 256 characters"));
        assert_eq!(detail(password("a")), None, "an existing password may satisfy an older policy");
    }

    #[test]
    fn usernames_codes_and_sessions_have_limited_characters() {
        assert!(username("anna").is_ok() && username("änna+1@example.com").is_ok());
        assert!(username("").is_err() && username("an na").is_err() && username("a\u{7}").is_err());
        assert!(username(&"a".repeat(128)).is_ok() && username(&"a".repeat(129)).is_err());
        assert!(code("123456").is_ok() && code("").is_err() && code("12 34").is_err() && code("１２").is_err());
        assert!(totp_code("123456").is_ok() && totp_code("12345").is_err() && totp_code("12345a").is_err());
        assert!(session(&"s".repeat(20)).is_ok() && session("s").is_err());
        assert!(refresh_token("a.b-c_d=").is_ok() && refresh_token("a b").is_err() && refresh_token("").is_err());
    }

    #[test]
    fn attributes_have_formats_and_read_only_attributes_cannot_be_set() {
        let one = |name: &str, value: &str| attributes(&[Attribute { name: name.into(), value: value.into() }]);
        assert!(one("email", "anna@example.com").is_ok() && one("name", "Änna O'Neil").is_ok());
        for email in ["anna", "@example.com", "anna@", "a@b@c", "a b@example.com", "a@.example", "a@b..c"] {
            assert!(one("email", email).is_err(), "{email}");
        }
        assert!(one("phone_number", "+15551234567").is_ok() && one("phone_number", "5551234567").is_err());
        for name in ["sub", "email_verified", "phone_number_verified", "dev:custom:role", "cognito:user_status"] {
            assert!(one(name, "true").is_err(), "{name}");
        }
        let twice = ["a", "a"].map(|name| Attribute { name: name.into(), value: "x".into() });
        assert_eq!(detail(attributes(&twice)), Some("attributes: a name must not occur twice"));
        assert!(required(&["email".into()], &[]).is_err());
    }
}
