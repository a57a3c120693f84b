//! Where a code goes, computed from what the caller typed: Cognito's own answer would tell who has an account.

use super::{Attribute, input};
use alloc::{format, string::String};

/// How a code is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// By email.
    Email,
    /// By text message.
    Sms,
    /// To the address or number that the account has.
    OnFile,
}

/// Where a code goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// By email or by text message.
    pub medium: Medium,
    /// Masked; `None` if no address or number was typed.
    pub destination: Option<String>,
}

impl Delivery {
    /// For what was typed: an email address before a phone number.
    pub(super) fn of(username: &str, attributes: &[Attribute]) -> Self {
        let attribute = |name| attributes.iter().find(|attribute| attribute.name == name).map(|it| it.value.as_str());
        let email = [Some(username), attribute("email")].into_iter().flatten().find(|text| input::is_email(text));
        let phone =
            [Some(username), attribute("phone_number")].into_iter().flatten().find(|text| input::is_phone(text));
        match (email, phone) {
            (Some(address), _) => Self { medium: Medium::Email, destination: Some(masked_email(address)) },
            (None, Some(number)) => Self { medium: Medium::Sms, destination: Some(masked_phone(number)) },
            (None, None) => Self { medium: Medium::OnFile, destination: None },
        }
    }

    /// For an alias that is to be changed. `None` for a name, to which nothing is sent.
    pub(super) fn to_changed(alias: &Attribute) -> Option<Self> {
        match alias.name.as_str() {
            "email" => Some(Self { medium: Medium::Email, destination: Some(masked_email(&alias.value)) }),
            "phone_number" => Some(Self { medium: Medium::Sms, destination: Some(masked_phone(&alias.value)) }),
            _ => None,
        }
    }

    /// For an attribute of the account, whose value was not typed.
    pub(super) fn to_attribute(name: &str) -> Self {
        let medium = match name {
            "email" => Medium::Email,
            "phone_number" => Medium::Sms,
            _ => Medium::OnFile,
        };
        Self { medium, destination: None }
    }
}

/// `a***@e***`, as Cognito has it.
fn masked_email(address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
    format!("{}***@{}***", first(local), first(domain))
}

/// `+*******1234`, as Cognito has it.
fn masked_phone(number: &str) -> String {
    let last: String = number.chars().skip(number.chars().count().saturating_sub(4)).collect();
    format!("+*******{last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: &str, value: &str) -> Attribute {
        Attribute { name: name.into(), value: value.into() }
    }

    #[test]
    fn one_format_whatever_was_typed() {
        let email = Delivery { medium: Medium::Email, destination: Some("a***@e***".into()) };
        let sms = Delivery { medium: Medium::Sms, destination: Some("+*******4567".into()) };
        let attributes = [attribute("phone_number", "+15551234567"), attribute("email", "anna@example.com")];
        assert_eq!(Delivery::of("anna@example.com", &[]), email);
        assert_eq!(Delivery::of("anna", &attributes), email);
        assert_eq!(Delivery::of("+15551234567", &[]), sms);
        assert_eq!(Delivery::of("anna", &attributes[..1]), sms);
        assert_eq!(Delivery::of("anna", &[]), Delivery { medium: Medium::OnFile, destination: None });
        assert_eq!(Delivery::of("é@ü.example", &[]).destination.as_deref(), Some("é***@ü***"));
    }
}
