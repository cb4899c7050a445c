package keys_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rapport/internal/fault"
	"rapport/internal/keys"
)

func open(t *testing.T, dir string) (*keys.Ring, []keys.New) {
	t.Helper()
	r, created, err := keys.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r, created
}

func TestTheFirstOpenMakesOneKeyOfEachKind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, created := open(t, dir)
	if len(created) != 2 || created[0].Kind != keys.Write || created[1].Kind != keys.Secret {
		t.Fatalf("created %+v, want a write and a secret key", created)
	}
	shapes := []string{`^rp_w_[0-9A-Za-z]{34}$`, `^rp_s_live_[0-9A-Za-z]{34}$`}
	for i, n := range created {
		if !regexp.MustCompile(shapes[i]).MatchString(n.Text) {
			t.Errorf("%q has not the shape %s", n.Text, shapes[i])
		}
		k, ok := r.Find(n.Text)
		if !ok || k.ID != n.ID || k.Kind != n.Kind || !k.Active() {
			t.Errorf("Find(%q) = %+v, %v", n.Text, k, ok)
		}
	}
	_, again := open(t, dir)
	if len(again) != 0 {
		t.Errorf("the second Open made %d more keys", len(again))
	}
}

func TestAfterARestartTheKeysAreTheSameAndTheWriteKeyCanBeShown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, created := open(t, dir)
	r, _ := open(t, dir)
	for _, n := range created {
		if _, ok := r.Find(n.Text); !ok {
			t.Errorf("the %s key is not known after a restart", n.Kind)
		}
	}
	b, err := json.Marshal(r.List())
	if err != nil {
		t.Fatal(err)
	}
	var list []struct{ Kind, Key, Last4 string }
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	if list[0].Kind != "write" || list[0].Key != created[0].Text {
		t.Errorf("the write key is not in the list: %s", b)
	}
	if list[1].Key != "" || !strings.HasSuffix(created[1].Text, list[1].Last4) {
		t.Errorf("of the secret key only the last four characters may be in the list: %s", b)
	}
}

func TestNoFileHoldsTheSecretKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, created := open(t, dir)
	second, err := r.Rotate(keys.Secret)
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.Contains(f.Name(), ".new-") {
			t.Errorf("%s was left behind", f.Name())
		}
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", f.Name(), info.Mode().Perm())
		}
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{created[1].Text, second.Text} {
			if strings.Contains(string(b), secret[10:38]) {
				t.Errorf("%s holds a secret key", f.Name())
			}
		}
	}
}

func TestFindRefusesWhatIsNotAKey(t *testing.T) {
	t.Parallel()
	r, created := open(t, t.TempDir())
	write := created[0].Text
	other, _, err := keys.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	flipped := []byte(write)
	flipped[10] ^= 1
	for name, text := range map[string]string{
		"nothing":                      "",
		"the prefix":                   "rp_w_",
		"one character less":           write[:len(write)-1],
		"one character more":           write + "A",
		"one character changed":        string(flipped),
		"another directory's key":      other.List()[0].Text,
		"the key as another kind":      "rp_s_live_" + write[5:],
		"its own last four characters": write[len(write)-4:],
		"a megabyte":                   "rp_w_" + strings.Repeat("A", 1<<20),
	} {
		if k, ok := r.Find(text); ok || k.ID != "" {
			t.Errorf("%s was taken for a key", name)
		}
	}
}

func TestAWrongCharacterFailsTheChecksum(t *testing.T) {
	t.Parallel()
	_, created := open(t, t.TempDir())
	for _, n := range created {
		if kind, ok := keys.Shaped(n.Text); !ok || kind != n.Kind {
			t.Fatalf("Shaped(%q) = %v, %v", n.Text, kind, ok)
		}
		for i := len(n.Prefix); i < len(n.Text); i++ {
			b := []byte(n.Text)
			if b[i]++; b[i] == '9'+1 || b[i] == 'Z'+1 || b[i] == 'z'+1 {
				b[i] = 'a'
			}
			if _, ok := keys.Shaped(string(b)); ok {
				t.Errorf("%q passes for %q", b, n.Text)
			}
		}
	}
}

func TestRotationHasNoGapAndNoThirdKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, created := open(t, dir)
	first := created[0]
	second, err := r.Rotate(keys.Write)
	if err != nil {
		t.Fatal(err)
	}
	if second.Name != first.Name {
		t.Errorf("the new key's source is %q, want the old one's, %q", second.Name, first.Name)
	}
	for _, n := range []keys.New{first, second} {
		if _, ok := r.Find(n.Text); !ok {
			t.Errorf("key %s is not taken during the rotation", n.ID)
		}
	}
	if _, err := r.Rotate(keys.Write); !fault.Is(err, fault.Conflict) {
		t.Errorf("a third active key: %v, want a Conflict", err)
	}
	if err := r.Revoke(first.ID); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.Find(first.Text); ok {
		t.Error("a revoked key was taken")
	}
	if _, ok := r.Find(second.Text); !ok {
		t.Error("the key that stays was refused")
	}
	if _, err := r.Rotate(keys.Write); err != nil {
		t.Errorf("after one was revoked there is room: %v", err)
	}
	again, _ := open(t, dir)
	if _, ok := again.Find(first.Text); ok {
		t.Error("a revoked key was taken after a restart")
	}
	if err := again.Revoke(first.ID); err != nil {
		t.Errorf("revoking twice: %v, want nothing", err)
	}
	if err := again.Revoke("key_nobody"); !fault.Is(err, fault.NotFound) {
		t.Errorf("revoking an unknown key: %v, want NotFound", err)
	}
	if _, err := again.Rotate("admin"); !fault.Is(err, fault.Invalid) {
		t.Errorf("rotating an unknown kind: %v, want Invalid", err)
	}
}

func TestARevocationByAnotherProcessIsSeenWithinASecond(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		serving, created := open(t, dir)
		tool, _ := open(t, dir)
		if _, ok := serving.Find(created[0].Text); !ok {
			t.Fatal("the key is not known")
		}
		if err := tool.Revoke(created[0].ID); err != nil {
			t.Fatal(err)
		}
		added, err := tool.Rotate(keys.Secret)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if _, ok := serving.Find(created[0].Text); ok {
			t.Error("a second later the revoked key is still taken")
		}
		if _, ok := serving.Find(added.Text); !ok {
			t.Error("a second later the new key is not known")
		}
	})
}

func TestTheLastUseIsRemembered(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r, created := open(t, dir)
		if used := r.List()[0].LastUsed; used != nil {
			t.Errorf("used at %v before its first use", used)
		}
		time.Sleep(time.Hour)
		r.Find(created[0].Text)
		at := time.Now()
		if _, err := r.Rotate(keys.Secret); err != nil {
			t.Fatal(err)
		}
		if used := r.List()[0].LastUsed; used == nil || !used.Equal(at) {
			t.Errorf("last used %v, want %v, also after a rotation", used, at)
		}
		if used := r.List()[1].LastUsed; used != nil {
			t.Errorf("a key that nobody showed was used at %v", used)
		}
	})
}

func TestADamagedFileIsNotOverwritten(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"cut off":             `{"version":1,"keys":[{"id":`,
		"empty":               ``,
		"of two megabytes":    strings.Repeat(" ", 2<<20) + `{"version":1,"keys":[]}`,
		"of a later version":  `{"version":2,"keys":[]}`,
		"with a short hash":   `{"version":1,"keys":[{"id":"key_1","kind":"write","sha256":"00"}]}`,
		"with a long hash":    `{"version":1,"keys":[{"id":"key_1","kind":"write","sha256":"` + strings.Repeat("00", 40) + `"}]}`,
		"with an odd hash":    `{"version":1,"keys":[{"id":"key_1","kind":"write","sha256":"` + strings.Repeat("xy", 32) + `"}]}`,
		"with a kind unknown": `{"version":1,"keys":[{"id":"key_1","kind":"root","sha256":"` + strings.Repeat("00", 32) + `"}]}`,
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "keys.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := keys.Open(dir); !fault.Is(err, fault.Corrupt) {
			t.Errorf("a file %s: %v, want Corrupt", name, err)
		}
		if b, _ := os.ReadFile(path); string(b) != content {
			t.Errorf("a file %s was changed", name)
		}
	}
}

func TestADamagedFileDoesNotLockOutKeysThatAreKnown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r, created := open(t, dir)
		if err := os.WriteFile(filepath.Join(dir, "keys.json"), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if _, ok := r.Find(created[0].Text); !ok {
			t.Error("a known key was refused because the file is damaged")
		}
		if err := r.Reload(); !fault.Is(err, fault.Corrupt) {
			t.Errorf("Reload: %v, want Corrupt", err)
		}
	})
}

func TestADirectoryThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	if _, _, err := keys.Open(filepath.Join(t.TempDir(), "none")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Open: %v, want Unavailable", err)
	}
}

func TestManyRotationsKeepTheFileBounded(t *testing.T) {
	t.Parallel()
	r, _ := open(t, t.TempDir())
	for range 120 {
		n, err := r.Rotate(keys.Write)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Revoke(n.ID); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(r.List()); n != 102 {
		t.Errorf("%d keys are kept, want 2 active and the last 100 revoked", n)
	}
}

func TestTwoRingsOfOneDirectoryLoseNoChange(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, _ := open(t, dir)
	b, _ := open(t, dir)
	var wait sync.WaitGroup
	for _, r := range []*keys.Ring{a, b} {
		wait.Go(func() {
			for range 40 {
				n, err := r.Rotate(keys.Secret)
				if fault.Is(err, fault.Conflict) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if err := r.Revoke(n.ID); err != nil {
					t.Error(err)
				}
				r.Find(n.Text)
			}
		})
	}
	wait.Wait()
	r, _ := open(t, dir)
	for _, k := range r.List()[2:] {
		if k.Active() {
			t.Errorf("the revocation of %s was lost", k.ID)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	r, created, err := keys.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := r.Find(created[0].Text); !ok {
			b.Fatal("not found")
		}
	}
}

func TestARestrictedKeyMayDoWhatItsScopesSay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, created := open(t, dir)
	n, err := r.Add("till in Leeds", []keys.Scope{keys.Send, keys.Read, keys.Send})
	if err != nil || !strings.HasPrefix(n.Text, "rp_r_") || n.Kind != keys.Restricted || len(n.Scopes) != 2 {
		t.Fatalf("added %+v, %v", n, err)
	}
	again, _ := open(t, dir)
	k, ok := again.Find(n.Text)
	if !ok || !k.May(keys.Read) || !k.May(keys.Send) || k.May(keys.Edit) || k.May(keys.Erase) || k.Text != "" {
		t.Errorf("after a restart it is %+v, %v", k, ok)
	}
	for _, s := range keys.Scopes {
		if !created[1].May(s) || created[0].May(s) {
			t.Errorf("a secret key may %s: %v; a write key: %v", s, created[1].May(s), created[0].May(s))
		}
	}
	for _, bad := range []struct {
		name   string
		scopes []keys.Scope
	}{{"", keys.Scopes}, {"a\nb", keys.Scopes}, {strings.Repeat("a", 61), keys.Scopes}, {"a", nil}, {"a", []keys.Scope{keys.Read, "everything"}}} {
		if _, err := r.Add(bad.name, bad.scopes); !fault.Is(err, fault.Invalid) {
			t.Errorf("Add(%q, %v) = %v, want Invalid", bad.name, bad.scopes, err)
		}
	}
	if _, err := r.Rotate(keys.Restricted); !fault.Is(err, fault.Invalid) {
		t.Errorf("Rotate(restricted) = %v, want Invalid", err)
	}
	for range 99 {
		if _, err := r.Add("a", keys.Scopes); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Add("a", keys.Scopes); !fault.Is(err, fault.Conflict) {
		t.Errorf("the hundred and first = %v, want Conflict", err)
	}
}
