package sqlite

// Schema returns the statements that make the schema of the catalogue.
func (c *Catalogue) Schema() (string, error) { return c.file.schema() }
