//! Optional members that must not be `null`.

use serde::{Deserialize, Deserializer};

/// Rejects `null`. A template whose variable has no value produces `null`; it must not silently disable a check.
pub(super) fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}
