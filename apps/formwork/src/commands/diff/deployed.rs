//! The stacks as they are deployed.

use formwork_assembly::TemplateFile;
use formwork_engine::plan::Located;

use super::before::{Before, OldStack};
use crate::deployment::Workplace;
use crate::failure::Failure;
use crate::report::StackReport;

/// The account as a source of old templates.
pub(super) struct Deployed {
    pub(super) workplace: Workplace,
    /// The stacks that are compared, each where the assembly puts it.
    pub(super) located: Vec<Located>,
}

impl Before for Deployed {
    fn name(&self) -> String {
        "the deployed stacks".to_owned()
    }

    fn stack(&self, stack: &StackReport) -> Result<Option<OldStack>, Failure> {
        let Some(place) = self.located.iter().find(|place| place.id == stack.id) else { return Ok(None) };
        let found = self.workplace.read(async {
            let client = place.session.cloudformation();
            // A stack in review has no template yet: nothing is deployed.
            let Some(old) = client.stack(&stack.name).await? else { return Ok(None) };
            let template = client.template(&old.id).await?;
            Ok::<_, formwork_engine::aws::Error>(template.map(|template| (template, old.parameters)))
        });
        let Some((text, parameters)) = found? else { return Ok(None) };
        let file = TemplateFile::from_bytes(&stack.name, text.as_bytes())
            .map_err(|error| Failure::Input(error.to_string()))?;
        Ok(Some(OldStack { template: file.into_value(), parameters }))
    }

    /// A stack that the app dropped is not told from one that never was of it: `formwork destroy` deletes what it names.
    fn gone(&self, _: &[StackReport]) -> Result<Vec<(StackReport, OldStack)>, Failure> {
        Ok(Vec::new())
    }
}
