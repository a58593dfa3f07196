//! `tertulia token new`: a secret for a program, and the rows of the settings that let it in.

use tertulia_chat::Token;

use super::error::{EXIT_USAGE, Stop};
use super::table::Id;
use super::values::{Scope, TokenGrant};

/// What somebody wants of a token, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenWishes {
    /// As whom its holder speaks.
    pub name: String,
    /// The rooms, joined by `+`; `*` for all.
    pub rooms: String,
    /// Whether it may write.
    pub publish: bool,
    /// Messages per second; empty for the ordinary budget.
    pub rate: String,
}

/// A new token with what to put into the settings, as text for a person. The secret is in it and nowhere else.
///
/// # Errors
/// With a sentence, when the wishes cannot be met or the system has no randomness.
pub fn new_token(wishes: &TokenWishes) -> Result<String, Stop> {
    if wishes.name.contains([',', ':']) {
        let text = "This cannot be: a token's name contains neither comma nor colon.\n".to_owned();
        return Err(Stop::Said { text, code: EXIT_USAGE });
    }
    let cannot = |sentence: String| Stop::Said { text: format!("{sentence}\n"), code: EXIT_USAGE };
    let token = Token::mint().map_err(|error| cannot(format!("The system has no randomness for a token: {error}.")))?;
    let hash = Token::hash_of(token.reveal()).ok_or_else(|| cannot("The token has no hash.".to_owned()))?;
    let hash = hash.to_hex();
    let publish = if wishes.publish { "publish" } else { "read" };
    let row = format!("{}:{hash}:{}:{publish}:{}", wishes.name, wishes.rooms, wishes.rate);
    let row = row.trim_end_matches(':');
    let refused = |reason: Option<&str>| cannot(format!("This cannot be: {}.", reason.unwrap_or_default()));
    let grants = TokenGrant::parse_list(row).map_err(refused)?;
    let [grant] = grants.as_slice() else {
        return Err(cannot("This cannot be: one token at a time.".to_owned()));
    };
    Ok(format!(
        "The token, shown this once (send it as `Authorization: Bearer …`):\n\n    {}\n\n\
         In the file of settings:\n\n{}\n\
         or as a variable (rows separated by commas):\n\n    {}='{row}'\n",
        token.reveal(),
        table_of(grant, &hash),
        Id::Tokens.setting().variable(),
    ))
}

/// The row as a table of the file.
fn table_of(grant: &TokenGrant, hash: &str) -> String {
    let rooms = match &grant.scope {
        Scope::Every => vec!["*".to_owned()],
        Scope::Rooms(rooms) => rooms.clone(),
    };
    let rooms = rooms.iter().map(|room| format!("\"{room}\"")).collect::<Vec<_>>().join(", ");
    let rate = grant.rate.map(|rate| format!("    rate = {rate}\n")).unwrap_or_default();
    // A name has no control characters, so a quote and a backslash are all that must be escaped.
    let name = grant.name.replace('\\', "\\\\").replace('"', "\\\"");
    format!(
        "    [[tokens]]\n    name = \"{name}\"\n    hash = \"{hash}\"\n    rooms = [{rooms}]\n    publish = {}\n{rate}",
        grant.publish
    )
}
