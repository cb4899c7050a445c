package arch

import (
	"fmt"
	"strings"
)

// decisions is where each dependency has its line.
const decisions = "docs/decisions/"

// Modules finds modules that go.mod requires directly and no decision names: a
// dependency that nobody had to give a reason for.
func (t *Tree) Modules() []Finding {
	var written strings.Builder
	for _, file := range t.Text {
		if strings.HasPrefix(file.Path, decisions) {
			written.WriteString(file.Body)
		}
	}
	var found []Finding
	for _, file := range t.Text {
		if file.Path != "go.mod" {
			continue
		}
		for i, line := range strings.Split(file.Body, "\n") {
			module := required(line)
			if module == "" || strings.Contains(written.String(), module) {
				continue
			}
			found = append(found, Finding{
				Rule: "module", Path: file.Path, Line: i + 1,
				What:    fmt.Sprintf("%s has no line in %s", module, decisions),
				Instead: "write there what it is for and why this one, or do without it",
			})
		}
	}
	return found
}

// required returns the module that a line of go.mod requires directly; empty if
// it requires none.
func required(line string) string {
	line, note, _ := strings.Cut(line, "//")
	fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
	if len(fields) != 2 || !strings.HasPrefix(fields[1], "v") || strings.TrimSpace(note) == "indirect" {
		return ""
	}
	return fields[0]
}
