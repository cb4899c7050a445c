package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rapport/internal/clock"
	"rapport/internal/core/identity"
)

// order file with one good order and one that is bad.
const orderFile = "order_id,date,sku,qty,price,customer_id\n1,2026-01-02,a,2,5,ada\n2,2026-01-02,a,two,5,ada\n2,2026-01-02,b,1,5,ada\n"

// rapport runs a command line and returns its exit code and what it printed.
func rapport(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = command(t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

func TestImportPutsRefusedLinesIntoAFileAndSaysSoByItsExitCode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, data := filepath.Join(dir, "orders.csv"), filepath.Join(dir, "data")
	if err := os.WriteFile(file, []byte(orderFile), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := rapport(t, "import", "orders", file, "--data", data, "--currency", "GBP", "--json")
	if code != exitFailed || !strings.Contains(errs, "2 of 3 lines were not imported") || !strings.Contains(errs, "order=order_id") {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r struct {
		Orders, Refused, Customers int
		Problems                   []string `json:"first_problems"`
		Errors                     string   `json:"errors_file"`
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err, out)
	}
	if r.Orders != 1 || r.Refused != 2 || r.Customers != 1 || !strings.Contains(out, `"sums":{"GBP":10.00}`) || len(r.Problems) != 2 {
		t.Errorf("printed %s", out)
	}
	report, err := os.ReadFile(r.Errors)
	if err != nil || !strings.Contains(string(report), "3,\"qty: \"\"two\"\" is not a number") {
		t.Errorf("the report is %s, %v", report, err)
	}

	corrected := filepath.Join(dir, "corrected.csv")
	if err := os.WriteFile(corrected, bytes.ReplaceAll(report, []byte(",two,"), []byte(",2,")), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and a second time changes nothing
		if code, _, errs = rapport(t, "import", "orders", corrected, "--data", data, "--currency", "GBP"); code != exitDone {
			t.Fatalf("exit %d: %s", code, errs)
		}
	}
	code, out, errs = rapport(t, "dump", "profiles", "--data", data)
	if code != exitDone || !strings.Contains(out, `"orders":2`) || !strings.Contains(out, `"GBP":"25.00"`) {
		t.Errorf("exit %d: %s %s", code, out, errs)
	}
}

func TestADryRunWritesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "orders.csv")
	if err := os.WriteFile(file, []byte(orderFile), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := rapport(t, "import", "orders", file, "--dry-run", "--data", filepath.Join(dir, "data"))
	if code != exitFailed || !strings.Contains(out, "would be imported") || !strings.Contains(out, "refused: line 3") || !strings.Contains(out, "sum 10.00") {
		t.Errorf("exit %d: %s %s", code, out, errs)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("a dry run left %v, %v", list, err)
	}
}

func TestImportUsedWronglySaysHow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "orders.csv")
	if err := os.WriteFile(file, []byte(orderFile), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{file}, exitMisuse, "--dry-run"},
		{[]string{file, "--data", dir, "--zone", "Mars"}, exitMisuse, "no time zone"},
		{[]string{file, "--data", dir, "--currency", "pounds"}, exitMisuse, "three letters"},
		{[]string{file, "--data", dir, "--decimal", ".."}, exitMisuse, "--decimal"},
		{[]string{file + ".gone", "--dry-run"}, exitFailed, "cannot be opened"},
		{[]string{dir, "--dry-run"}, exitFailed, "is a folder"},
		{[]string{file, "--dry-run", "--map", "number=order"}, exitFailed, "there is no column"},
		{[]string{file, "--data", filepath.Join(dir, "data"), "--resume"}, exitFailed, "nothing to resume"},
	} {
		code, out, errs := rapport(t, append([]string{"import", "orders"}, c.args...)...)
		if code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%q: exit %d, %s %s; want %d and %q", c.args, code, out, errs, c.code, c.want)
		}
	}
}

func TestAnImportIsMisusedByAnEncodingThatNobodyReads(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	file, data := filepath.Join(root, "customers.csv"), filepath.Join(root, "data")
	if err := os.WriteFile(file, []byte("email\nada@shop.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"customers", "orders", "consents"} {
		if _, errs := say(t, exitMisuse, "import", kind, file, "--data", data, "--encoding", "latin9"); !strings.Contains(errs, "--encoding latin9 is neither utf-8 nor windows-1252") {
			t.Errorf("%s: it says %s", kind, errs)
		}
	}
	if _, errs := say(t, exitFailed, "import", "customers", file+".gone", "--data", data); strings.Count(errs, "no such file") != 1 {
		t.Errorf("the cause is said more than once: %s", errs)
	}
}

func TestADirectoryBegunWithAKeyIsReadWithIt(t *testing.T) {
	t.Parallel()
	dir, key := t.TempDir(), identity.Key{1, 2, 3}
	d, err := openDirectory(t.Context(), dir, opening{clock: clock.Wall(), create: true, key: &key, logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	if again, err := workspaceKey(filepath.Join(dir, "workspace.key"), false); err != nil || again != key {
		t.Errorf("the key is %v, %v", again, err)
	}
}
