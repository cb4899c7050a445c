package program_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"rapport/internal/fault"
	"rapport/internal/program"
)

func TestASourceComesBackAsItWasPacked(t *testing.T) {
	t.Parallel()
	src, err := program.Read(os.DirFS("../../examples/shop"))
	if err != nil {
		t.Fatal(err)
	}
	back, err := program.Unpack(src.Pack())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(src.Files(), back.Files()) || src.Hash() != back.Hash() || string(src.Pack()) != string(back.Pack()) {
		t.Error("the source changed on its way through the store")
	}
}

func TestEqualFilesHaveEqualHashesInWhicheverOrder(t *testing.T) {
	t.Parallel()
	list := []program.File{{Path: "a.yaml", Body: "1"}, {Path: "b.yaml", Body: "2"}}
	a, err1 := program.New(list)
	b, err2 := program.New([]program.File{list[1], list[0]})
	c, err3 := program.New([]program.File{{Path: "a.yaml", Body: "12"}, {Path: "b.yaml", Body: ""}})
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	if a.Hash() != b.Hash() || a.Hash() == c.Hash() {
		t.Error("the hash depends on the order, or not on the bodies")
	}
}

func TestDamagedPacksAreCorrupt(t *testing.T) {
	t.Parallel()
	src, err := program.New([]program.File{{Path: "shop.yaml", Body: "name: x"}})
	if err != nil {
		t.Fatal(err)
	}
	packed := src.Pack()
	for i := range packed {
		if _, err := program.Unpack(packed[:i]); !fault.Is(err, fault.Corrupt) {
			t.Errorf("%d bytes of %d: %v", i, len(packed), err)
		}
	}
	for name, bytes := range map[string][]byte{
		"something behind": append(slices.Clone(packed), 0), "another version": append([]byte{99}, packed[1:]...),
		"a count of millions": {1, 0xff, 0xff, 0xff, 0xff, 0x0f}, "no file": {1, 0},
		"a path out of the folder": {1, 1, 3, '.', '.', '/', 0},
	} {
		if _, err := program.Unpack(bytes); !fault.Is(err, fault.Corrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadTakesDefinitionsAndLeavesTheRest(t *testing.T) {
	t.Parallel()
	src, err := program.Read(fstest.MapFS{
		"shop.yaml": {Data: []byte("a")}, "README.md": {Data: []byte("b")}, ".git/x.yaml": {Data: []byte("c")}, "segments/.hidden.yaml": {Data: []byte("d")},
		"stories/x.yaml": {Data: []byte("e")}, "other/shop.yaml": {Data: []byte("h")}, "other/policy.yaml": {Data: []byte("i")}, "templates/a.html.liquid": {Data: []byte("f")}, "templates/logo.png": {Data: []byte("g")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range src.Files() {
		names = append(names, f.Path)
	}
	if strings.Join(names, " ") != "shop.yaml templates/a.html.liquid" {
		t.Errorf("files = %v", names)
	}
}

func TestReadIsBounded(t *testing.T) {
	t.Parallel()
	many := fstest.MapFS{}
	for i := range program.MaxFiles + 1 {
		many["segments/s"+strconv.Itoa(i)+".yaml"] = &fstest.MapFile{}
	}
	heavy := fstest.MapFS{}
	for i := range program.MaxSource/program.MaxFile + 1 {
		heavy["segments/s"+strconv.Itoa(i)+".yaml"] = &fstest.MapFile{Data: make([]byte, program.MaxFile)}
	}
	for name, c := range map[string]struct {
		fsys fs.FS
		kind fault.Kind
	}{
		"too many files": {many, fault.TooLarge},
		"too much":       {heavy, fault.TooLarge},
		"a long file":    {fstest.MapFS{"shop.yaml": {Data: make([]byte, program.MaxFile+1)}}, fault.TooLarge},
		"nothing":        {fstest.MapFS{"README.md": {}}, fault.Invalid},
		"a device":       {fstest.MapFS{"shop.yaml": {Mode: fs.ModeDevice}}, fault.Invalid},
	} {
		if _, err := program.Read(c.fsys); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALinkOutOfTheFolderIsRefused(t *testing.T) {
	t.Parallel()
	outside, dir := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret.yaml"), []byte("a: 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "shop.yaml"), []byte("a: 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "segments")); err != nil {
		t.Skip("the file system has no links")
	}
	if _, err := program.Read(os.DirFS(dir)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "segments is a symbolic link") {
		t.Errorf("Read = %v", err)
	}
}

func TestPathsStayInTheFolder(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", ".", "..", "../a.yaml", "/a.yaml", "a//b.yaml", "a\\b.yaml", "c:a.yaml", "a\x00.yaml", strings.Repeat("a", 300)} {
		if _, err := program.New([]program.File{{Path: path}}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if _, err := program.New([]program.File{{Path: "a.yaml"}, {Path: "a.yaml"}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a path twice: %v", err)
	}
}

func TestTheHashOfASourceIsStoredAndMustNotChange(t *testing.T) {
	t.Parallel()
	src, err := program.New([]program.File{{Path: "shop.yaml", Body: "name: x"}})
	if err != nil {
		t.Fatal(err)
	}
	// Of the packed form 1 and the core version 1. A new core version is a new number.
	if got := strconv.FormatUint(src.Hash(), 16); got != "2903ca47ae47ceee" {
		t.Errorf("the hash is %s", got)
	}
}
