package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rapport/internal/mailcatcher"
)

// lamp is the properties of an event that the lamp's reminder is about.
const lamp = `{"sku": "L1", "name": "Brass <lamp>", "category": "lighting"}`

// bought returns a data directory with one customer and the example in force.
func bought(t *testing.T) (dir, data string) {
	t.Helper()
	dir = t.TempDir()
	file, data := filepath.Join(dir, "orders.csv"), filepath.Join(dir, "data")
	if err := os.WriteFile(file, []byte("order_id,date,sku,qty,price,customer_id\n1,2026-01-02,a,2,5,ada\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := rapport(t, "import", "orders", file, "--data", data, "--currency", "GBP"); code != exitDone {
		t.Fatal(out, errs)
	}
	if code, out, errs := rapport(t, "apply", "../../examples/shop", "--data", data); code != exitDone {
		t.Fatal(out, errs)
	}
	return dir, data
}

func TestPreviewShowsAMessageAsACustomerWouldReadIt(t *testing.T) {
	t.Parallel()
	dir, data := bought(t)
	trigger, out := filepath.Join(dir, "lamp.json"), filepath.Join(dir, "out")
	if err := os.WriteFile(trigger, []byte(lamp), 0o600); err != nil {
		t.Fatal(err)
	}
	code, printed, errs := rapport(t, "preview", "lighting-reminder", "--customer", "ada", "--data", data, "--trigger", trigger, "--out", out)
	if code != exitDone || !strings.Contains(printed, "Subject:    Still looking for the right light?") || strings.Contains(printed, "missing:") {
		t.Errorf("exit %d: %s%s", code, printed, errs)
	}
	html, err := os.ReadFile(filepath.Join(out, "lighting-reminder.html"))
	if err != nil || !strings.Contains(string(html), "Brass &lt;lamp&gt;") {
		t.Errorf("the HTML is %s, %v", html, err)
	}
	code, printed, errs = rapport(t, "preview", "lighting-reminder", "--customer", "ada", "--data", data, "--json")
	var v struct {
		HTML string
		Gaps []struct {
			What, File string
			Line       int
		}
	}
	if err := json.Unmarshal([]byte(printed), &v); code != exitDone || err != nil {
		t.Fatalf("exit %d: %s%s", code, printed, errs)
	}
	if len(v.Gaps) == 0 || v.Gaps[0].What != "product.name" || v.Gaps[0].File != "templates/lighting-reminder.html.liquid" || !strings.Contains(v.HTML, "⟦product.name⟧") {
		t.Errorf("without an event: %s", printed)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"preview", "lightning-reminder", "--customer", "ada", "--data", data}, "did you mean lighting-reminder?"},
		{[]string{"preview", "welcome", "--customer", "bob", "--data", data}, `no customer is known by "bob"`},
		{[]string{"preview", "welcome", "--customer", "ada", "--data", data, "--trigger", "nowhere.json"}, "the example event cannot be read"},
		{[]string{"preview", "welcome", "--customer", "ada", "--data", filepath.Join(dir, "none")}, "is no data directory"},
	} {
		if code, _, errs := rapport(t, c.args...); code != exitFailed || !strings.Contains(errs, c.want) {
			t.Errorf("%v: exit %d, %s, want %q", c.args, code, errs, c.want)
		}
	}
}

func TestPreviewAsksTheCatalogueWithDefinitionsInForceAndWithAFolder(t *testing.T) {
	t.Parallel()
	dir, data := bought(t)
	defs, file := filepath.Join(dir, "defs"), filepath.Join(dir, "products.csv")
	if err := os.CopyFS(defs, os.DirFS("../../examples/shop")); err != nil {
		t.Fatal(err)
	}
	letter := "---\nsubject: Light for the dark months\n---\n{% assign lamp = 'LAMP-1' | product %}<p>{{ lamp.name }} for {{ lamp.price | money: shop.currency }}</p>"
	for path, body := range map[string]string{
		filepath.Join(defs, "templates", "winter-lights.html.liquid"): letter,
		file: "Handle,Title,Variant SKU,Variant Price\nlamp,Brass lamp,LAMP-1,49.90\n",
	} {
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, out, errs := rapport(t, "import", "products", file, "--data", data, "--currency", "GBP"); code != exitDone {
		t.Fatal(out, errs)
	}
	looks := func(args ...string) {
		t.Helper()
		out := filepath.Join(dir, "out")
		code, printed, errs := rapport(t, append([]string{"preview", "winter-lights", "--customer", "ada", "--data", data, "--out", out}, args...)...)
		html, err := os.ReadFile(filepath.Join(out, "winter-lights.html"))
		if code != exitDone || err != nil || !strings.Contains(string(html), "Brass lamp for £49.90") {
			t.Errorf("%v: exit %d: %s%s%v\n%s", args, code, printed, errs, err, html)
		}
		os.RemoveAll(out)
	}
	looks("--definitions", defs)
	if code, out, errs := rapport(t, "apply", defs, "--data", data); code != exitDone {
		t.Fatal(out, errs)
	}
	looks()
}

func TestSendTestSaysWhetherSomebodyGotIt(t *testing.T) {
	t.Parallel()
	_, data := bought(t)
	server, err := mailcatcher.New(mailcatcher.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	ask := []string{"send-test", "welcome", "--customer", "ada", "--to", "boss@shop.example", "--data", data, "--json"}
	for _, c := range []struct {
		args []string
		want string
	}{{nil, `"sent":false`}, {[]string{"--smtp", server.Addr()}, `"sent":true`}} {
		if out, _ := say(t, exitDone, append(ask, c.args...)...); !strings.Contains(out, c.want) {
			t.Errorf("with %v it says %s, want %s", c.args, out, c.want)
		}
	}
	if n := server.Count(); n != 1 {
		t.Errorf("%d mails came, want that of --smtp alone", n)
	}
}

func TestSendTestSendsOnceAndCountsNothing(t *testing.T) {
	t.Parallel()
	_, data := bought(t)
	before := dumped(t, data)
	code, out, errs := rapport(t, "send-test", "welcome", "--customer", "ada", "--to", "boss@shop.example", "--data", data)
	if code != exitDone || !strings.Contains(out, "“[Test] ") || !strings.Contains(out, "nobody got it") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	if after := dumped(t, data); after != before {
		t.Errorf("the data were\n%s\nand are\n%s", before, after)
	}
	if code, _, errs := rapport(t, "send-test", "lighting-reminder", "--customer", "ada", "--to", "boss@shop.example", "--data", data); code != exitFailed || !strings.Contains(errs, "product.name is missing") {
		t.Errorf("with a gap: exit %d, %s", code, errs)
	}
	if code, _, errs := rapport(t, "send-test", "welcome", "--customer", "ada", "--to", "boss@shop.example\r\nBcc: eve@x.example", "--data", data); code != exitFailed || !strings.Contains(errs, "rejected") {
		t.Errorf("an address with a line break: exit %d, %s", code, errs)
	}
}

// dumped is all that a data directory knows of events, customers and messages.
func dumped(t *testing.T, data string) string {
	t.Helper()
	all := ""
	for _, what := range []string{"events", "profiles", "deliveries"} {
		code, out, errs := rapport(t, "dump", what, "--data", data)
		if code != exitDone {
			t.Fatalf("dump %s: %s", what, errs)
		}
		all += out
	}
	return all
}
