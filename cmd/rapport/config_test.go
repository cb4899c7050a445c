package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rapport/internal/keys"
	"rapport/internal/program"
)

const exampleShop = "../../examples/shop"

// tree returns every file below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		files[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func sameTree(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, body := range want {
		if got[name] != body {
			t.Errorf("%s is %.80q, want %.80q", name, got[name], body)
		}
	}
	for name := range got {
		if _, there := want[name]; !there {
			t.Errorf("%s is there as well", name)
		}
	}
}

func TestDefinitionsGoOutAndComeInAgainByteByByte(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	data, first, second := filepath.Join(root, "data"), filepath.Join(root, "first"), filepath.Join(root, "second")
	newData(t, data)
	say(t, exitDone, "apply", exampleShop, "--data", data)
	said, _ := say(t, exitDone, "export", first, "--data", data, "--json")
	src, err := program.Read(os.DirFS(exampleShop))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range src.Files() {
		want[f.Path] = f.Body
	}
	sameTree(t, tree(t, first), want)
	var exported struct{ Files int }
	if err := json.Unmarshal([]byte(said), &exported); err != nil || exported.Files != len(want) {
		t.Errorf("the export says %s", said)
	}
	// Wiped, and made again from what was exported.
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	newData(t, data)
	say(t, exitFailed, "diff", first, "--data", data)
	say(t, exitDone, "apply", first, "--data", data)
	say(t, exitDone, "diff", first, "--data", data)
	say(t, exitDone, "export", second, "--data", data)
	sameTree(t, tree(t, second), want)
}

func TestAnExportRemovesDefinitionsThatAreGoneAndNothingElse(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	data, dir := filepath.Join(root, "data"), filepath.Join(root, "definitions")
	newData(t, data)
	say(t, exitDone, "export", dir, "--data", data)
	want := tree(t, dir)
	for name, body := range map[string]string{"segments/old.yaml": "segment: old\nwhen: {trait: a}\n", "README.md": "ours", "stories/a.story": "ours", ".git/config": "ours"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		if body == "ours" {
			want[name] = body
		}
	}
	say(t, exitDone, "export", dir, "--data", data)
	sameTree(t, tree(t, dir), want)
	mistaken := filepath.Join(root, "letters")
	if err := os.MkdirAll(mistaken, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(mistaken, "policy.yaml"), []byte("of my insurance"), 0o600); err != nil {
		t.Fatal(err)
	}
	say(t, exitFailed, "export", mistaken, "--data", data)
	sameTree(t, tree(t, mistaken), map[string]string{"policy.yaml": "of my insurance"})
}

func TestDefinitionsAreComparedAndAppliedOnARunningServer(t *testing.T) {
	t.Parallel()
	s, table, _ := served(t)
	if err := s.node.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.node.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(table.guarded())
	defer web.Close()
	k, err := s.d.ring.Add("deploy", []keys.Scope{keys.Read, keys.Edit})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "definitions")
	on := []string{"--server", web.URL, "--key", k.Text}
	run := func(want int, args ...string) string {
		t.Helper()
		out, errs := say(t, want, append(args, on...)...)
		return out + errs
	}
	run(exitDone, "export", dir)
	if said := run(exitDone, "diff", dir); !strings.Contains(said, "nothing differs") {
		t.Errorf("the same: %s", said)
	}
	path := filepath.Join(dir, "segments", "vip.yaml")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(when string) {
		t.Helper()
		if err := os.WriteFile(path, []byte("segment: vip\nwhen: "+when+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("{trait: tier, is: gold}")
	if said := run(exitFailed, "diff", dir); !strings.Contains(said, "+ segment vip (segments/vip.yaml)") || !strings.Contains(said, "+segment: vip") || !strings.Contains(said, "1 added, 0 changed, 0 removed") {
		t.Errorf("the difference: %s", said)
	}
	var d struct {
		Same    bool
		Changes []struct{ Kind, Name, What string }
	}
	if err := json.Unmarshal([]byte(run(exitFailed, "diff", dir, "--json")), &d); err != nil || d.Same || len(d.Changes) != 1 || d.Changes[0].Name != "vip" {
		t.Errorf("as JSON: %+v, %v", d, err)
	}
	run(exitDone, "apply", dir)
	run(exitDone, "diff", dir)
	write("{trait: tier, i: gold}")
	if said := run(exitFailed, "apply", dir); !strings.Contains(said, "mistake: segments/vip.yaml:2") {
		t.Errorf("the mistake: %s", said)
	}
	say(t, exitMisuse, "diff", dir, "--server", web.URL, "--key", "rp_s_live_wrong")
	say(t, exitMisuse, "diff", dir)
	say(t, exitMisuse, "apply", dir, "--server", web.URL)
}

func TestARestrictedKeyIsMadeAndListed(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	say(t, exitDone, "keys", "--data", data)
	said, _ := say(t, exitDone, "keys", "add", "--data", data, "--name", "till", "--scope", "read", "--scope", "send", "--json")
	var k keys.New
	if err := json.Unmarshal([]byte(said), &k); err != nil || !strings.HasPrefix(k.Text, "rp_r_") || len(k.Scopes) != 2 {
		t.Fatalf("the key is %s, %v", said, err)
	}
	listed, _ := say(t, exitDone, "keys", "--data", data)
	if !strings.Contains(listed, "rp_r_…"+k.Last4+" read send") || strings.Contains(listed, k.Text) {
		t.Errorf("the list is %s", listed)
	}
	say(t, exitFailed, "keys", "add", "--data", data, "--name", "till", "--scope", "everything")
	say(t, exitDone, "keys", "--data", data, "--revoke", k.ID)
}

// newData makes a data directory with the built-in definitions in force.
func newData(t *testing.T, dir string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "orders.csv")
	if err := os.WriteFile(file, []byte("order,date,sku,quantity,price,customer\n1,2026-01-02,LAMP,1,20,ada\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	say(t, exitDone, "import", "orders", file, "--data", dir, "--currency", "GBP")
}

func TestAPictureGoesOutAsALineAndStaysWhereItIs(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	data, ours, out := filepath.Join(root, "data"), filepath.Join(root, "ours"), filepath.Join(root, "out")
	newData(t, data)
	say(t, exitDone, "export", ours, "--data", data)
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 20, 10))); err != nil {
		t.Fatal(err)
	}
	lamp := filepath.Join("pictures", "lamp.png")
	if err := os.MkdirAll(filepath.Join(ours, "pictures"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(ours, lamp), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	want := tree(t, ours)
	say(t, exitDone, "apply", ours, "--data", data)
	say(t, exitDone, "export", ours, "--data", data)
	sameTree(t, tree(t, ours), want) // the picture itself stays
	say(t, exitDone, "export", out, "--data", data)
	line := tree(t, out)["pictures/lamp.png"]
	if !strings.HasPrefix(line, "picture ") || !strings.HasSuffix(line, " 20x10") {
		t.Errorf("the picture goes out as %.80q", line)
	}
	say(t, exitDone, "diff", out, "--data", data)
	say(t, exitDone, "apply", out, "--data", data)
	other := filepath.Join(root, "other")
	newData(t, other)
	if _, errs := say(t, exitFailed, "apply", out, "--data", other); !strings.Contains(errs, "lamp.png") {
		t.Errorf("where the picture is not: %s", errs)
	}
	say(t, exitDone, "apply", ours, "--data", other)
	say(t, exitDone, "apply", out, "--data", other)
}
