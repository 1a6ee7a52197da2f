//! The defaults that users and shared spaces of a domain get: role, network, idle shutdown, size of volumes.

use formwork::{IntoValue, SecurityGroupId, Value};
use formwork_resources::sagemaker::{
    AppLifecycleManagement, DefaultEbsStorageSettings, DefaultSpaceSettings, DefaultSpaceStorageSettings,
    DomainCodeEditorAppSettings, DomainJupyterLabAppSettings, DomainUserSettings, IdleSettings,
    LifecycleManagement, UserSettingsStudioWebPortal,
};

use super::SageMakerDomainProps;
use crate::iam::Role;

/// What the defaults are made of.
pub(super) struct Settings<'a> {
    role: &'a Role,
    security_group: &'a Value<SecurityGroupId>,
    storage: DefaultSpaceStorageSettings,
    lifecycle: AppLifecycleManagement,
}

impl<'a> Settings<'a> {
    pub(super) fn new(
        props: &SageMakerDomainProps<'_>,
        role: &'a Role,
        security_group: &'a Value<SecurityGroupId>,
    ) -> Self {
        let volume =
            DefaultEbsStorageSettings::new(props.space_storage.default_gib, props.space_storage.maximum_gib);
        let idle = match props.idle_shutdown_minutes {
            Some(minutes) => IdleSettings::new()
                .lifecycle_management(LifecycleManagement::ENABLED)
                .idle_timeout_in_minutes(minutes),
            None => IdleSettings::new().lifecycle_management(LifecycleManagement::DISABLED),
        };
        Self {
            role,
            security_group,
            storage: DefaultSpaceStorageSettings::new().default_ebs_storage_settings(volume),
            lifecycle: AppLifecycleManagement::new().idle_settings(idle),
        }
    }

    fn groups(&self) -> Value<Vec<SecurityGroupId>> {
        [self.security_group].into_value()
    }

    fn jupyter_lab(&self) -> DomainJupyterLabAppSettings {
        DomainJupyterLabAppSettings::new().app_lifecycle_management(self.lifecycle.clone())
    }

    pub(super) fn of_users(&self) -> DomainUserSettings {
        let code_editor = DomainCodeEditorAppSettings::new().app_lifecycle_management(self.lifecycle.clone());
        DomainUserSettings::new(&self.role.arn)
            .security_groups(self.groups())
            .jupyter_lab_app_settings(self.jupyter_lab())
            .code_editor_app_settings(code_editor)
            .space_storage_settings(self.storage.clone())
            .studio_web_portal(UserSettingsStudioWebPortal::ENABLED)
            .default_landing_uri("studio::")
    }

    pub(super) fn of_shared_spaces(&self) -> DefaultSpaceSettings {
        DefaultSpaceSettings::new(&self.role.arn)
            .security_groups(self.groups())
            .jupyter_lab_app_settings(self.jupyter_lab())
            .space_storage_settings(self.storage.clone())
    }
}
