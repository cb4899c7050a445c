package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What definitions name is compared with what models say and with what was heard.
func TestDefinitionsThatHoldNobodyAreTold(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	data, defs, events := filepath.Join(root, "data"), filepath.Join(root, "defs"), filepath.Join(root, "events.jsonl")
	write := func(path, body string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(defs, "shop.yaml"), "name: The Gift Shop\ncurrency: GBP\n")
	write(filepath.Join(defs, "segments", "wrap.yaml"), "segment: wrap\nwhen: {did: gift wrapped}\n")
	say(t, exitDone, "validate", defs)
	newData(t, data)
	write(events, `{"type":"track","userId":"ada","event":"Gift Wrapped","timestamp":"2026-01-02T10:00:00Z","messageId":"m1"}`+"\n")
	say(t, exitDone, "import", "events", events, "--data", data)
	if out, _ := say(t, exitDone, "apply", defs, "--data", data); strings.Contains(out, "warning") {
		t.Errorf("without a warehouse nothing was heard that it could know of: %s", out)
	}
	say(t, exitDone, "sql", "SELECT 1", "--data", data) // fills the warehouse
	write(filepath.Join(defs, "segments", "wrap.yaml"), "segment: wrap\nwhen: {did: gift wrapped, within: 30d}\n")
	const want = `warning: segments/wrap.yaml:2:13: no event called "gift wrapped" was heard yet, so nobody has done it; one in other letters was (write: Gift Wrapped)`
	if out, _ := say(t, exitFailed, "diff", defs, "--data", data); !strings.Contains(out, want) {
		t.Errorf("diff says %s", out)
	}
	if out, _ := say(t, exitDone, "apply", defs, "--data", data); !strings.Contains(out, want) {
		t.Errorf("apply says %s", out)
	}
	write(filepath.Join(defs, "segments", "odd.yaml"), "segment: odd\nwhen: {prediction: nonsense, \">=\": 0.5}\n")
	out, _ := say(t, exitFailed, "validate", defs)
	if !strings.Contains(out, `mistake: segments/odd.yaml:2:20: no model says "nonsense"; there are aov, best_hour.…, `) || !strings.Contains(out, "p_alive") {
		t.Errorf("validate says %s", out)
	}
	say(t, exitFailed, "apply", defs, "--data", data)
}

// Without a data directory nothing was heard, and the folder itself says how the shop
// calls what it sends.
func TestAFolderThatCallsAnEventByTwoNamesIsTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for path, body := range map[string]string{
		"shop.yaml":            "name: The Gift Shop\ncurrency: GBP\n",
		"segments/ribbon.yaml": "segment: ribbon\nwhen: {did: Gift Wrapped}\n",
		"segments/wrap.yaml":   "segment: wrap\nwhen: {did: gift wrapped}\n",
		"segments/again.yaml":  "segment: again\nwhen: {did: Gift Wrapped, within: 30d}\n",
		"journeys/wrap.yaml":   "journey: wrap\ntrigger: {event: Gift wrapped}\nsteps:\n  - wait: 1d\n",
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, _ := say(t, exitDone, "validate", dir)
	for _, want := range []string{
		`warning: segments/wrap.yaml:2:13: the event "gift wrapped" is called otherwise at segments/again.yaml:2:13, and names are compared letter by letter (write: Gift Wrapped)`,
		`warning: journeys/wrap.yaml:2:18: the event "Gift wrapped" is called otherwise at segments/again.yaml:2:13`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("validate says %s, not %s", out, want)
		}
	}
	if n := strings.Count(out, "warning:"); n != 2 {
		t.Errorf("validate warns %d times: %s", n, out)
	}
}
