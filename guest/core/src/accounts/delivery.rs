//! Where a code is sent, computed from the input alone. Cognito's own reply would reveal whether an account exists.

use super::{Attribute, input};
use alloc::{format, string::String};

/// How a code is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// By email.
    Email,
    /// By text message.
    Sms,
    /// To the address or number of the account.
    OnFile,
}

/// Where a code is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// How the code is delivered.
    pub medium: Medium,
    /// The address or number in the input, masked. `None` if the input has neither.
    pub destination: Option<String>,
}

impl Delivery {
    /// The delivery for this input. An email address has precedence over a phone number.
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

    /// The delivery for an alias that is changed. `None` for a username, to which nothing is sent.
    pub(super) fn to_changed(alias: &Attribute) -> Option<Self> {
        match alias.name.as_str() {
            "email" => Some(Self { medium: Medium::Email, destination: Some(masked_email(&alias.value)) }),
            "phone_number" => Some(Self { medium: Medium::Sms, destination: Some(masked_phone(&alias.value)) }),
            _ => None,
        }
    }

    /// The delivery for an attribute of the account whose value is not in the input.
    pub(super) fn to_attribute(name: &str) -> Self {
        let medium = match name {
            "email" => Medium::Email,
            "phone_number" => Medium::Sms,
            _ => Medium::OnFile,
        };
        Self { medium, destination: None }
    }
}

/// `a***@e***`, the format of Cognito.
fn masked_email(address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
    format!("{}***@{}***", first(local), first(domain))
}

/// `+*******1234`, the format of Cognito.
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
    fn the_delivery_depends_on_the_input_alone() {
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
