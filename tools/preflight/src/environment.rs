//! Environments of a `wrangler.toml`.

use toml::{Table, Value};

use crate::finding::{Finding, error};

/// One environment of a configuration.
pub(crate) struct Environment<'a> {
    /// The whole file. Its top level is the Worker for development.
    pub(crate) config: &'a Table,
    /// Name of the environment.
    pub(crate) name: &'a str,
    /// The table `[env.NAME]`.
    pub(crate) own: &'a Table,
}

impl<'a> Environment<'a> {
    /// Finds an environment by its name.
    ///
    /// # Errors
    /// A finding that names the environments of the file, if this one is missing.
    pub(crate) fn find(config: &'a Table, name: &'a str) -> Result<Self, Finding> {
        let environments = config.get("env").and_then(Value::as_table);
        if let Some(own) = environments.and_then(|all| all.get(name)?.as_table()) {
            return Ok(Self { config, name, own });
        }
        let names = environments.into_iter().flat_map(Table::keys).cloned();
        let names = names.collect::<Vec<_>>().join(", ");
        Err(error(format!(
            "there is no [env.{name}]: choose one of {names}"
        )))
    }

    /// Returns a setting of the environment, or the one that it inherits.
    pub(crate) fn inherited(&self, key: &str) -> Option<&'a Value> {
        self.own.get(key).or_else(|| self.config.get(key))
    }

    /// Returns the other Workers of the file, with a name for people.
    pub(crate) fn others(&self) -> Vec<(String, &'a Table)> {
        let mut others = vec![("the top of the file".to_owned(), self.config)];
        let environments = self.config.get("env").and_then(Value::as_table);
        for (name, other) in environments.into_iter().flatten() {
            if name != self.name
                && let Some(other) = other.as_table()
            {
                others.push((format!("[env.{name}]"), other));
            }
        }
        others
    }

    /// Returns the hosts of the environment's routes.
    pub(crate) fn hosts(&self) -> Vec<&'a str> {
        let routes = self.inherited("routes").and_then(Value::as_array);
        let patterns = routes
            .into_iter()
            .flatten()
            .filter_map(|route| match route {
                Value::String(pattern) => Some(pattern.as_str()),
                other => text(other.as_table()?, "pattern"),
            });
        patterns
            .map(|pattern| pattern.split('/').next().unwrap_or_default())
            .collect()
    }
}

/// Returns a setting that is a string.
pub(crate) fn text<'a>(table: &'a Table, key: &str) -> Option<&'a str> {
    table.get(key)?.as_str()
}
