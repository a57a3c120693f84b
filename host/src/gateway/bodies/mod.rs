//! Request and response bodies as JSON. Their documentation is part of the OpenAPI document.

mod requests;
mod responses;

pub(crate) use requests::{
    AnswerChallenge, AssociateTotp, AttributeName, ChangePassword, ConfirmForgotPassword, ConfirmSignUp, MfaBody,
    Refresh, RevokeToken, SignIn, SignInMethod, SignUp, UpdateAttributes, Username, VerifyAttribute, VerifyTotp,
    attributes,
};
pub(crate) use responses::{
    AcceptedBody, Deliveries, DeliveryBody, SignedInBody, TokensBody, TotpSecretBody, TotpVerified, UserBody,
};
