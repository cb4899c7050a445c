package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnAfternoonOfMovingIn imports suppressions, consents, customers and orders, looks
// who can be written to, and takes an import back.
func TestAnAfternoonOfMovingIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	run := func(want int, args ...string) (out, errs string) {
		t.Helper()
		code, out, errs := rapport(t, append(args, "--data", data)...)
		if code != want {
			t.Fatalf("%q: exit %d\n%s%s", args, code, out, errs)
		}
		return out, errs
	}
	suppressed := write("suppressed.csv", "Email,Reason,Date\nBOB@shop.example,unsubscribed,2024-05-01\ncat@shop.example,Hard bounce,2024-05-01\n")
	klaviyo := "../../internal/sources/people/testdata/klaviyo.csv"
	saved := filepath.Join(dir, "klaviyo.map")

	run(exitDone, "import", "suppressions", suppressed)
	out, errs := run(exitDone, "import", "consents", klaviyo, "--save-map", saved)
	for _, want := range []string{"an export of klaviyo", "Email Marketing Consent", "→ 2023-02-21T20:07:38.000Z"} {
		if !strings.Contains(errs, want) {
			t.Errorf("%q is not shown:\n%s", want, errs)
		}
	}
	for _, want := range []string{"1: not a customer → reachable", "consents: 2 given, 1 withdrawn", "of them reachable"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not said:\n%s", want, out)
		}
	}
	run(exitDone, "import", "customers", klaviyo, "--map", saved, "--list", "spring")
	orders := write("orders.csv", "order_id,date,sku,qty,price,email\n1,2026-01-02,a,2,5,ada@shop.example\n2,2026-01-02,a,2,5,bob@shop.example\n")
	out, _ = run(exitDone, "import", "orders", orders, "--currency", "GBP", "--json")
	var r struct {
		Import string
		Orders int
		After  struct {
			Customers, Reachable int64
			Standings            map[string]int64
		} `json:"reachable_after"`
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err, out)
	}
	sum := int64(0)
	for _, n := range r.After.Standings {
		sum += n
	}
	if r.Orders != 2 || r.After.Customers != 4 || r.After.Reachable != 1 || sum != r.After.Customers {
		t.Errorf("%s", out)
	}
	if out, _ = run(exitDone, "reachable"); !strings.Contains(out, "unsubscribed") {
		t.Errorf("%s", out)
	}
	if out, _ = run(exitDone, "dump", "profiles"); !strings.Contains(out, `"lists":["spring"]`) || strings.Count(out, `"orders":1`) != 2 {
		t.Errorf("%s", out)
	}
	run(exitDone, "import", "undo", r.Import, "--by", "bea")
	if out, _ = run(exitDone, "dump", "profiles"); strings.Contains(out, `"orders":1`) {
		t.Errorf("an undone order is there: %s", out)
	}
	if _, errs = run(exitFailed, "import", "undo", r.Import); !strings.Contains(errs, "by bea") {
		t.Errorf("%s", errs)
	}
	if out, _ = run(exitDone, "import", "list"); strings.Count(out, "\n") != 5 || !strings.Contains(out, "undone") {
		t.Errorf("%s", out)
	}
	out, _ = run(exitDone, "import", "list", "--json")
	var first struct{ ID string }
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &first); err != nil {
		t.Fatal(err, out)
	}
	if _, errs = run(exitFailed, "import", "undo", first.ID); !strings.Contains(errs, "--yes-really") {
		t.Errorf("%s", errs)
	}
	run(exitDone, "import", "undo", first.ID, "--yes-really", "--by", "bea")
	out, _ = run(exitDone, "import", "consents", write("bought.csv", "Email,Consent,Date\nout@strangers.example,yes,2024-05-01\n"), "--json")
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err, out)
	}
	run(exitDone, "import", "undo", r.Import)
	var left reach
	var found diagnosis
	out, _ = run(exitDone, "reachable", "--json")
	if err := json.Unmarshal([]byte(out), &left); err != nil {
		t.Fatal(err, out)
	}
	out, _ = run(exitDone, "doctor", "--json")
	if err := json.Unmarshal([]byte(out), &found); err != nil || found.Profiles != left.Customers || found.Empty != 1 {
		t.Errorf("of %d customers doctor says %s, %v", left.Customers, out, err)
	}
}

func TestConsentsAndSuppressionsOfAFileAreNeverLive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "a.csv")
	if err := os.WriteFile(file, []byte("email,state,date\na@shop.example,granted,2025-01-01\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"consents", "suppressions"} {
		if code, _, errs := rapport(t, "import", kind, file, "--dry-run", "--live"); code != exitFailed || !strings.Contains(errs, "cannot be live") {
			t.Errorf("%s: exit %d, %s", kind, code, errs)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--from", "hermes"}, "klaviyo, mailchimp"},
		{[]string{"--as-of", "spring"}, "--as-of"},
		{[]string{"--map", "nothing.map"}, "neither COLUMN=FIELD nor a file"},
	} {
		if code, _, errs := rapport(t, append([]string{"import", "consents", file, "--dry-run"}, c.args...)...); code != exitMisuse || !strings.Contains(errs, c.want) {
			t.Errorf("%q: exit %d, %s", c.args, code, errs)
		}
	}
}

// TestItem59RefusedRowsAreNeutralAndComeBack: what stands in the file of errors cannot
// be run by a spreadsheet, and once mended brings the customer with the very text.
func TestItem59RefusedRowsAreNeutralAndComeBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, data := filepath.Join(dir, "c.csv"), filepath.Join(dir, "data")
	if err := os.WriteFile(file, []byte("email,first_name,note\nada@shop.example,=HYPERLINK(\"x\"),@home\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := rapport(t, "import", "customers", file, "--data", data); code != exitFailed || !strings.Contains(errs, "1 of 1 lines were not imported") {
		t.Fatalf("exit %d: %s", code, errs)
	}
	report, err := os.ReadFile(file + ".errors.csv")
	if err != nil || !strings.Contains(string(report), `'=HYPERLINK`) || !strings.Contains(string(report), "'@home") {
		t.Fatalf("%s, %v", report, err)
	}
	if code, _, errs := rapport(t, "import", "customers", file+".errors.csv", "--data", data); code != exitDone {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if _, out, _ := rapport(t, "dump", "profiles", "--data", data); !strings.Contains(out, `"first_name":"=HYPERLINK(\"x\")"`) || !strings.Contains(out, `"note":"@home"`) {
		t.Errorf("%s", out)
	}
}

// TestItem60AHostileFileIsBoundedAndItsGoodRowsArrive: an unclosed quotation mark, a path
// in an archive and letters of two encodings.
func TestItem60AHostileFileIsBoundedAndItsGoodRowsArrive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	file := filepath.Join(dir, "h.csv")
	text := "email,first_name\nada@shop.example,Zo\xeb\n<svg onload=x>@shop.example,B\nbob@shop.example,\"never closed\ncat@shop.example,Cat\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs := rapport(t, "import", "customers", file, "--data", data)
	if code != exitFailed || !strings.Contains(errs, "windows-1252") {
		t.Fatalf("exit %d: %s", code, errs)
	}
	report, err := os.ReadFile(file + ".errors.csv")
	if err != nil || !strings.Contains(string(report), "never closed") || !strings.Contains(string(report), "no e-mail address") {
		t.Errorf("%s, %v", report, err)
	}
	_, out, _ := rapport(t, "dump", "profiles", "--data", data)
	if !strings.Contains(out, "Zoë") || !strings.Contains(out, "cat@shop.example") || strings.Contains(out, "svg") || strings.Contains(out, "bob@") {
		t.Errorf("%s", out)
	}
}

// Who stands in a file did not come by, and whom only an undone import knew is nobody.
func TestAFileOfCustomersIsNoVisitAndAnUndoneOneLeavesNobodyInReports(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	run := func(args ...string) string {
		t.Helper()
		code, out, errs := rapport(t, append(args, "--data", data)...)
		if code != exitDone {
			t.Fatalf("%q: exit %d\n%s%s", args, code, out, errs)
		}
		return out
	}
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	kpis := func() (visitors, profiles int64) {
		t.Helper()
		var said struct {
			KPIs struct {
				Rows     []struct{ Visitors int64 }
				Profiles int64
			}
		}
		if out := run("report", "kpis", "--json", "--from", "2000-01-01"); json.Unmarshal([]byte(out), &said) != nil || said.KPIs.Profiles == 0 {
			t.Fatal(out)
		}
		for _, row := range said.KPIs.Rows {
			visitors += row.Visitors
		}
		return visitors, said.KPIs.Profiles
	}
	run("import", "orders", write("orders.csv", "order_id,date,sku,qty,price,email\n1,2026-01-02,a,2,5,ada@shop.example\n"), "--currency", "GBP")
	run("import", "customers", write("people.csv", "email,first_name\nada@shop.example,Ada\nbob@shop.example,Bob\ncat@shop.example,Cat\n"))
	out := run("import", "consents", write("agreed.csv", "Email,Consent,Date\nada@shop.example,yes,2026-01-01\ndan@shop.example,yes,2026-01-01\n"), "--json")
	if visitors, profiles := kpis(); visitors != 1 || profiles != 4 {
		t.Errorf("of four customers, one of whom bought, %d are visitors and %d are known", visitors, profiles)
	}
	if rfm := run("report", "rfm", "--json", "--from", "2000-01-01"); !strings.Contains(rfm, `"customers":1,`) {
		t.Errorf("who bought and is known by an address alone has no place: %s", rfm)
	}
	if paths := run("report", "paths", "--json", "--from", "2000-01-01"); strings.Contains(paths, "identify") || strings.Contains(paths, "Consent Changed") {
		t.Errorf("a line of a file is a way through the shop: %s", paths)
	}
	var r struct{ Import string }
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err, out)
	}
	run("import", "undo", r.Import)
	if visitors, profiles := kpis(); visitors != 1 || profiles != 3 {
		t.Errorf("after dan's import was undone %d are visitors and %d are known", visitors, profiles)
	}
	run("import", "consents", write("again.csv", "Email,Consent,Date\ndan@shop.example,yes,2026-01-02\n"))
	if _, profiles := kpis(); profiles != 4 {
		t.Errorf("after dan came again %d are known", profiles)
	}
}
