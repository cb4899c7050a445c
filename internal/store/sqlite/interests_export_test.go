package sqlite

// Schema returns the statements that make the schema of the interests.
func (i *Interests) Schema() (string, error) { return i.file.schema() }
