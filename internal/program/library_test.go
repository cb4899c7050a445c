package program_test

import (
	"encoding/json"
	"os"
	"testing"

	"rapport/internal/program"
)

// What the pages offer to begin a segment with must be a segment of any shop.
func TestEveryReadyMadeSegmentCompiles(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../ui/src/pages/segment-library.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		ID           string
		Label, About struct{ EN, DE string }
		When         json.RawMessage
	}
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	files := []program.File{{Path: "shop.yaml", Body: "name: Any\ncurrency: EUR\ntime_zone: Europe/Berlin\nlanguage: de\npurposes: [marketing]\n"}}
	seen := map[string]bool{}
	for _, s := range list {
		if s.ID == "" || seen[s.ID] || s.Label.EN == "" || s.Label.DE == "" || s.About.EN == "" || s.About.DE == "" {
			t.Errorf("%q is there twice, or lacks words", s.ID)
		}
		seen[s.ID] = true
		files = append(files, program.File{Path: "segments/" + s.ID + ".yaml", Body: "segment: " + s.ID + "\nwhen: " + string(s.When) + "\n"})
	}
	if len(list) < 20 {
		t.Errorf("%d ready-made segments are few", len(list))
	}
	src, err := program.New(files)
	if err != nil {
		t.Fatal(err)
	}
	_, problems := program.Compile(src, program.Options{})
	for _, p := range problems {
		if len(p.Where) > 9 && p.Where[:9] == "segments/" {
			t.Error(p.Error())
		}
	}
}
