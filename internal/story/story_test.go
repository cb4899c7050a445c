package story_test

import (
	"os"
	"testing"
	_ "time/tzdata"

	"rapport/internal/program"
	"rapport/internal/story"
)

// compiled compiles the definitions of a folder.
func compiled(t testing.TB, dir string) *program.Program {
	t.Helper()
	src, err := program.Read(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	p, problems := program.Compile(src, program.Options{Workspace: "story"})
	for _, problem := range problems {
		t.Error(problem.Error())
	}
	if p == nil {
		t.FailNow()
	}
	return p
}

func play(t *testing.T, dir string) {
	t.Helper()
	result, err := story.Run(os.DirFS(dir), compiled(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Failures {
		t.Error(f.String())
	}
	t.Logf("%d stories passed", result.Passed)
}

func TestTheStoriesOfTheExampleShopHold(t *testing.T) {
	t.Parallel()
	play(t, "../../examples/shop")
}

func TestTheStoriesOfTheProductHold(t *testing.T) {
	t.Parallel()
	play(t, "../../stories")
}
