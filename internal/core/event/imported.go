package event

import "strings"

// importPrefix begins the source of an event that an import brought. A key's name
// has no slash, so no other source is taken for one.
const importPrefix = "import/"

// ImportSource returns the source of the events of an import: by it they are found
// again if the import is undone.
func ImportSource(id string) string { return importPrefix + id }

// Imported reports whether the source is an import's.
func Imported(source string) bool { return strings.HasPrefix(source, importPrefix) }
