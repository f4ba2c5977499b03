"""Configuration: the manager, its neighbours, and the managers of one user or service."""

from __future__ import annotations

from compat.ledger import Module, Move, Removed, names, removed

from ..advice.people import SETTINGS

WHEN = {"since": "1.0", "removal": "3.0"}
C = "netra_backend.app.core.configuration"
OLD_MANAGER = "netra_backend.app.core.managers.unified_configuration_manager"
NEW = "compat.netra.components.configuration"

_WHOLE = f"""\
{C} = {NEW}
{C}.base = {NEW}.base
{C}.database = {NEW}.database
{C}.loader = {NEW}.loader
{C}.demo = {NEW}.demo
{C}.unified_secrets = {NEW}.secrets
{C}.secrets = {NEW}.secrets
{C}.validator = {NEW}.config_validation
{C}.validator_types = {NEW}.config_validation
{C}.validator_auth = {NEW}.config_validation
{C}.validator_database = {NEW}.config_validation
{C}.validator_environment = {NEW}.config_validation
{C}.validator_llm = {NEW}.config_validation
{C}.staging_validator = {NEW}.config_validation
{C}.startup_validator = {NEW}.config_validation
{C}.environment_detector = {NEW}.environment_detector
{C}.environment = {NEW}.environment_detector
{OLD_MANAGER} = {NEW}.scopes
netra_backend.app.core.environment_constants = {NEW}.environment_constants
netra_backend.app.config = {NEW}.app_settings"""

_SCOPES = """\
ConfigurationManagerFactory get_configuration_manager get_dashboard_config_manager get_data_agent_config_manager
get_llm_config_manager EnvironmentConfigLoader ConfigurationManager=ScopedConfigManager
UnifiedConfigurationManager=ScopedConfigManager ConfigurationValidator=PartValidator
UnifiedConfigurationManagerCompatibility=ScopedConfigManager ConfigurationManagerCompatibility=ScopedConfigManager
ConfigurationManagerFactoryCompatibility=ConfigurationManagerFactory
EnvironmentConfigLoaderCompatibility=EnvironmentConfigLoader ConfigurationValidatorCompatibility=PartValidator"""

ROWS: list[Move] = [
    *(
        Module(legacy, canonical, instead=None, **WHEN)
        for legacy, canonical in (line.split(" = ") for line in _WHOLE.split("\n"))
    ),
    *names(
        "netra_backend.app.schemas.config",
        f"{NEW}.app_config",
        "AppConfig NetraTestingConfig DevelopmentConfig StagingConfig ProductionConfig",
        instead=None,
        **WHEN,
    ),
    *names(f"{C}.compatibility_shim", f"{NEW}.scopes", " ".join(_SCOPES.split()), instead=None, **WHEN),
    *names(OLD_MANAGER, f"{NEW}.scopes", "UnifiedConfigurationManager=ScopedConfigManager", instead=None, **WHEN),
    *names(OLD_MANAGER, "compat.netra.components.environment", "IsolatedEnvironment", instead=None, **WHEN),
    *names(
        "netra_backend.app.core.configuration_validator",
        f"{NEW}.config_validation",
        "ConfigurationValidator=RuleValidator ConfigType ValidationRule ValidationSeverity",
        instead=None,
        **WHEN,
    ),
    # Imported though never defined there: one meaning each.
    *names(f"{C}.base", f"{NEW}.scopes", "ConfigurationScope ConfigurationSource", instead=None, **WHEN),
    *names(f"{C}.base", f"{NEW}.base", "UnifiedConfiguration=AppConfig BaseConfiguration=AppConfig", instead=None, **WHEN),
    *names(f"{C}.base", f"{NEW}.secrets", "SecretsConfig=SecretConfig", instead=None, **WHEN),
    *names(f"{C}.base", f"{NEW}.config_validation", "ConfigurationValidator", instead=None, **WHEN),
    *names(f"{C}.base", "compat.netra.adapters.replaceable", "os", instead="import os", **WHEN),
    *names(f"{C}.secrets", f"{NEW}.secrets", "SecretsManager=UnifiedSecretsManager", instead=None, **WHEN),
    *names(
        f"{C}.unified_secrets",
        f"{NEW}.secrets",
        "UnifiedSecretLoader=UnifiedSecretsManager UnifiedSecrets=UnifiedSecretsManager UnifiedSecretsConfig=SecretConfig",
        instead=None,
        **WHEN,
    ),
    *names(
        f"{C}.validator",
        f"{NEW}.config_validation",
        "SchemaValidator=RuleValidator ConfigValidator=ConfigurationValidator",
        instead=None,
        **WHEN,
    ),
    *names(
        f"{C}.manager",
        f"{NEW}.base",
        "ConfigurationManager=UnifiedConfigManager ConfigManager=UnifiedConfigManager",
        instead=None,
        **WHEN,
    ),
    # Gone for good.
    *removed(f"{C}.base", "get_auth_service_url", instead=SETTINGS, **WHEN),
    *removed(f"{C}.services", "corpus_service user_service audit_service", instead="the service's own module", **WHEN),
    *removed(
        f"{C}.services",
        "get_service_config ServicesConfig ServiceConfigurationValidator ServiceConfigManager ServicesConfiguration",
        instead=SETTINGS,
        **WHEN,
    ),
    Removed(f"{C}.logging:get_logging_config", instead="logging.config.dictConfig(), or logging.basicConfig(level=...)", **WHEN),
    Removed(f"{C}.cascade:ConfigurationCascade", instead=SETTINGS, **WHEN),
    Removed(
        f"{C}.feature_flags:FeatureFlagManager",
        instead="a boolean field of a pydantic-settings model, or a feature-flag library such as openfeature-sdk",
        **WHEN,
    ),
    *removed(f"{C}.emergency", "get_emergency_config EmergencyLevel", instead=SETTINGS, **WHEN),
]
