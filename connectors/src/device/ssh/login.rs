//! Being let in: by password or by key.

use std::sync::Arc;

use russh::MethodKind;
use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg};

use super::watch::{Progress, Watch};
use super::{Credential, Error, Login, key};
use crate::Secret;
use crate::text::excerpt;

/// How many rounds of questions are answered.
const ROUNDS_MOST: usize = 4;

/// What lets us in, read.
pub(super) enum Ready {
    Password(Secret),
    Key(Arc<PrivateKey>),
}

impl Ready {
    pub(super) fn of(credential: &Credential) -> Result<Self, Error> {
        Ok(match credential {
            Credential::Password(password) => Self::Password(password.clone()),
            Credential::Key { text, passphrase } => Self::Key(Arc::new(key::open(text, passphrase.as_ref())?)),
        })
    }
}

pub(super) async fn log_in(
    handle: &mut Handle<Watch>,
    login: &Login,
    credential: Ready,
    progress: &Progress,
) -> Result<(), Error> {
    let lost = |_| progress.lost();
    let (method, result) = match credential {
        Ready::Password(password) => {
            let first = handle.authenticate_password(&login.user, password.expose()).await.map_err(lost)?;
            let result = match first {
                AuthResult::Failure { ref remaining_methods, .. }
                    if remaining_methods.contains(&MethodKind::KeyboardInteractive)
                        && !remaining_methods.contains(&MethodKind::Password) =>
                {
                    asked(handle, &login.user, &password).await.map_err(lost)?
                }
                first => first,
            };
            ("password", result)
        }
        Ready::Key(key) => ("public key", by_key(handle, login, key).await.map_err(lost)?),
    };
    match result {
        AuthResult::Success => Ok(()),
        // An empty list is what the library makes of a connection that ended.
        AuthResult::Failure { remaining_methods, .. } if remaining_methods.is_empty() && handle.is_closed() => {
            Err(progress.lost())
        }
        AuthResult::Failure { remaining_methods, .. } => {
            let accepted: Vec<&str> = remaining_methods.iter().map(<&str>::from).collect();
            let accepted = if accepted.is_empty() { "nothing else".to_owned() } else { accepted.join(", ") };
            Err(Error::Authentication { user: excerpt(&login.user, 100), method, accepted })
        }
    }
}

/// Answers what is asked with the password, where it is one question that is not shown.
async fn asked(handle: &mut Handle<Watch>, user: &str, password: &Secret) -> Result<AuthResult, russh::Error> {
    let mut answer = handle.authenticate_keyboard_interactive_start(user, None::<String>).await?;
    for _ in 0..ROUNDS_MOST {
        let answers = match answer {
            KeyboardInteractiveAuthResponse::Success => return Ok(AuthResult::Success),
            KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success } => {
                return Ok(AuthResult::Failure { remaining_methods, partial_success });
            }
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => match prompts.as_slice() {
                [] => Vec::new(),
                [prompt] if !prompt.echo => vec![password.expose().to_owned()],
                _ => break,
            },
        };
        answer = handle.authenticate_keyboard_interactive_respond(answers).await?;
    }
    let remaining_methods = (&[MethodKind::KeyboardInteractive][..]).into();
    Ok(AuthResult::Failure { remaining_methods, partial_success: false })
}

async fn by_key(handle: &mut Handle<Watch>, login: &Login, key: Arc<PrivateKey>) -> Result<AuthResult, russh::Error> {
    if !key.algorithm().is_rsa() {
        return handle.authenticate_publickey(&login.user, PrivateKeyWithHashAlg::new(key, None)).await;
    }
    // Devices that do not say which of them they take mostly take the middle one, and old ones SHA-1 alone.
    let hashes = match handle.best_supported_rsa_hash().await? {
        Some(Some(hash)) => vec![Some(hash)],
        _ if login.is_legacy => vec![Some(HashAlg::Sha256), None],
        _ => vec![Some(HashAlg::Sha256)],
    };
    let mut result = AuthResult::Failure { remaining_methods: (&[][..]).into(), partial_success: false };
    for hash in hashes {
        let key = PrivateKeyWithHashAlg::new(Arc::clone(&key), hash);
        result = handle.authenticate_publickey(&login.user, key).await?;
        if result.success() {
            break;
        }
    }
    Ok(result)
}
