//! Converts explanations to those of the contract.

use crate::{bindings::exports::poolgate::auth::verifier as wit, translation::reason};
use poolgate_core as core;

pub fn explanation(explanation: core::Explanation) -> wit::Explanation {
    let core::Explanation { reason: rejected, header, payload, is_signature_valid, pool, checks } = explanation;
    wit::Explanation {
        reason: rejected.map(reason),
        header,
        payload,
        is_signature_valid,
        pool: pool.and_then(|pool| u32::try_from(pool).ok()),
        checks: checks.into_iter().filter_map(check).collect(),
    }
}

/// The explanation of an instance that is not configured.
pub fn not_configured() -> wit::Explanation {
    wit::Explanation {
        reason: Some(wit::Reason::NotConfigured),
        header: None,
        payload: None,
        is_signature_valid: false,
        pool: None,
        checks: Vec::new(),
    }
}

fn check(check: core::Check) -> Option<wit::Check> {
    let core::Check { stage: checked, result, member, found, accepted, detail, advice } = check;
    let result = match result {
        core::CheckResult::Passed => wit::CheckResult::Passed,
        core::CheckResult::Failed(failed) => wit::CheckResult::Failed(reason(failed)),
        core::CheckResult::NotChecked => wit::CheckResult::NotChecked,
    };
    let advice = advice.map(Into::into);
    Some(wit::Check { stage: stage(checked)?, result, member, found, accepted, detail, advice })
}

/// Returns `None` for a stage that a later core may add.
fn stage(stage: core::Stage) -> Option<wit::CheckStage> {
    Some(match stage {
        core::Stage::Form => wit::CheckStage::Form,
        core::Stage::Header => wit::CheckStage::Header,
        core::Stage::Encoding => wit::CheckStage::Encoding,
        core::Stage::Payload => wit::CheckStage::Payload,
        core::Stage::Issuer => wit::CheckStage::Issuer,
        core::Stage::Signer => wit::CheckStage::Signer,
        core::Stage::Type => wit::CheckStage::Type,
        core::Stage::KeyId => wit::CheckStage::KeyId,
        core::Stage::ClaimTypes => wit::CheckStage::ClaimTypes,
        core::Stage::Algorithm => wit::CheckStage::Algorithm,
        core::Stage::HeaderCopies => wit::CheckStage::HeaderCopies,
        core::Stage::Expiry => wit::CheckStage::Expiry,
        core::Stage::NotBefore => wit::CheckStage::NotBefore,
        core::Stage::IssuedAt => wit::CheckStage::IssuedAt,
        core::Stage::Age => wit::CheckStage::Age,
        core::Stage::Key => wit::CheckStage::Key,
        core::Stage::Signature => wit::CheckStage::Signature,
        core::Stage::TokenUse => wit::CheckStage::TokenUse,
        core::Stage::Confirmation => wit::CheckStage::Confirmation,
        core::Stage::Subject => wit::CheckStage::Subject,
        core::Stage::Client => wit::CheckStage::Client,
        core::Stage::Resource => wit::CheckStage::Resource,
        core::Stage::ClaimRule => wit::CheckStage::ClaimRule,
        core::Stage::Groups => wit::CheckStage::Groups,
        core::Stage::Scopes => wit::CheckStage::Scopes,
        core::Stage::Revocation => wit::CheckStage::Revocation,
        _ => return None,
    })
}
