//! Whose weights a stage starts from.

use crate::weights::Take;
use serde::{Deserialize, Serialize};

/// `best` or `newest` of the run so far, or of one of its stages: `head:best`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StartFrom {
    /// The name of an earlier stage; absent: the run so far.
    pub stage: Option<String>,
    /// Which of its weights.
    pub take: Take,
}

impl TryFrom<String> for StartFrom {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (stage, take) = match text.rsplit_once(':') {
            Some((stage, take)) => (Some(stage.to_owned()), take),
            None => (None, text.as_str()),
        };
        match take {
            "best" => Ok(Self { stage, take: Take::Best }),
            "newest" => Ok(Self { stage, take: Take::Newest }),
            _ => Err(format!(
                "expected `best`, `newest`, `STAGE:best` or `STAGE:newest`, found `{text}`"
            )),
        }
    }
}

impl From<StartFrom> for String {
    fn from(StartFrom { stage, take }: StartFrom) -> Self {
        let take = match take {
            Take::Best => "best",
            Take::Newest => "newest",
        };
        stage.map_or_else(|| take.to_owned(), |stage| format!("{stage}:{take}"))
    }
}
