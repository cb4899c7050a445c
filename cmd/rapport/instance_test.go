package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestItem09ARestoredSnapshotRefusesToSendUntilItIsAdopted(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	live, outside := filepath.Join(root, "live"), filepath.Join(root, "epoch")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	may := func(dir, epoch string, adopt, want bool) {
		t.Helper()
		doubt, err := mayTakeOver(dir, epoch, adopt)
		must(err)
		if (doubt == "") != want {
			t.Errorf("may send: %v (%s), want %v", doubt == "", doubt, want)
		}
	}
	restore := func(from, to string) {
		t.Helper()
		must(os.RemoveAll(to))
		must(os.CopyFS(to, os.DirFS(from)))
	}
	must(os.Mkdir(live, 0o700))
	must(newInstance(live))
	may(live, "", false, true)
	may(live, "", false, true) // a restart is no restore

	// A backup beside the live instance, and one in its place.
	beside := filepath.Join(root, "beside")
	restore(live, beside)
	may(beside, "", false, false)
	may(beside, "", false, false)
	snapshot := filepath.Join(root, "snapshot")
	restore(live, snapshot)
	restore(snapshot, live)
	may(live, "", false, false)
	may(live, "", true, true) // the operator's word
	may(live, "", false, true)
	may(beside, "", false, false)

	// Without the file nobody knows.
	must(os.Remove(filepath.Join(beside, instanceFile)))
	may(beside, "", false, false)
	must(os.WriteFile(filepath.Join(beside, instanceFile), []byte("{"), 0o600))
	may(beside, "", false, false)

	// A disk that is set back as a whole keeps the numbers of its files: only what
	// stands outside of it can tell.
	disk := filepath.Join(root, "disk")
	must(os.Mkdir(disk, 0o700))
	must(newInstance(disk))
	may(disk, outside, false, true)
	may(disk, outside, false, true)
	setBack(t, disk, 2)
	may(disk, outside, false, false)
	may(disk, outside, true, true)
	may(disk, outside, false, true)
	must(os.Remove(outside))
	may(disk, outside, false, false)
}

// setBack lets a directory say what it said in an earlier epoch, at the place where
// its file is now.
func setBack(t *testing.T, dir string, epoch uint64) {
	t.Helper()
	path := filepath.Join(dir, instanceFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	place, err := placeOf(f)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(f, `{"epoch":%d,"place":%q}`, epoch, place); err != nil {
		t.Fatal(err)
	}
}
