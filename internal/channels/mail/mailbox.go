package mail

import (
	"mime"
	"strings"
)

// Mailbox returns the address with a display name as it stands in a header, with
// letters outside ASCII as they are: `"Ada Lovelace" <ada@people.example>`. The
// name cannot end the line, the quotes or the address.
func (a Address) Mailbox(name string) string {
	if name = Flatten(name); name == "" {
		return a.String()
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `" <` + a.String() + ">"
}

// Encoded is Mailbox in ASCII: a name that is not is written in encoded words
// (RFC 2047).
func (a Address) Encoded(name string) string {
	if name = Flatten(name); ASCII(name) && !strings.Contains(name, "=?") {
		return a.Mailbox(name)
	}
	return mime.BEncoding.Encode("utf-8", name) + " <" + a.String() + ">"
}
