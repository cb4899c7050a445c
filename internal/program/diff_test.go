package program_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rapport/internal/program"
)

// fataler is a test, of rapid or not.
type fataler interface{ Fatal(args ...any) }

func sourceOf(t fataler, files ...string) *program.Source {
	var list []program.File
	for i := 0; i < len(files); i += 2 {
		list = append(list, program.File{Path: files[i], Body: files[i+1]})
	}
	src, err := program.New(list)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// patch makes the new text from the old one and a diff as diff -u writes it.
func patch(old string, diff []string) (string, error) {
	lines := strings.SplitAfter(old, "\n")
	var b strings.Builder
	at := 0
	for i := 0; i < len(diff); i++ {
		var from, count, to, added int
		if _, err := fmt.Sscanf(diff[i], "@@ -%d,%d +%d,%d @@", &from, &count, &to, &added); err != nil {
			return "", fmt.Errorf("%q begins no hunk", diff[i])
		}
		if count > 0 {
			from--
		}
		for ; at < from; at++ {
			b.WriteString(lines[at])
		}
		for i+1 < len(diff) && !strings.HasPrefix(diff[i+1], "@@") {
			i++
			line, end := diff[i][1:], "\n"
			if i+1 < len(diff) && strings.HasPrefix(diff[i+1], `\`) {
				end = ""
			}
			switch diff[i][0] {
			case ' ', '-':
				if lines[at] != line+end {
					return "", fmt.Errorf("line %d is %q, the diff says %q", at+1, lines[at], line+end)
				}
				if diff[i][0] == ' ' {
					b.WriteString(lines[at])
				}
				at++
			case '+':
				b.WriteString(line + end)
			case '\\':
			default:
				return "", fmt.Errorf("%q is no line of a diff", diff[i])
			}
		}
	}
	for ; at < len(lines); at++ {
		b.WriteString(lines[at])
	}
	return b.String(), nil
}

func TestADiffMakesTheNewTextOfTheOldOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := func(label string) string {
			lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", ""}), 0, 40).Draw(t, label)
			return strings.Join(lines, "\n") + rapid.SampledFrom([]string{"", "\n"}).Draw(t, label+" ends")
		}
		old, new := text("old"), text("new")
		changes := program.Diff(sourceOf(t, "journeys/x.yaml", old), sourceOf(t, "journeys/x.yaml", new))
		if old == new {
			if len(changes) > 0 {
				t.Fatalf("the same differs: %+v", changes)
			}
			return
		}
		if len(changes) != 1 || changes[0].Kind != "journey" || changes[0].Name != "x" || changes[0].What != program.Changed {
			t.Fatalf("%q to %q: %+v", old, new, changes)
		}
		got, err := patch(old, changes[0].Lines)
		if err != nil || got != new {
			t.Fatalf("%q to %q: patched to %q, %v\n%s", old, new, got, err, strings.Join(changes[0].Lines, "\n"))
		}
	})
}

func TestTextsThatHaveLittleInCommonAreShownWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := func(letter string) (s string) {
			for i := range 900 {
				s += letter + strconv.Itoa(i%rapid.SampledFrom([]int{7, 900}).Draw(t, "period")) + "\n"
			}
			return s
		}
		old, new := text("a"), text("b")
		changes := program.Diff(sourceOf(t, "policy.yaml", old), sourceOf(t, "policy.yaml", new))
		if got, err := patch(old, changes[0].Lines); err != nil || got != new || len(changes[0].Lines) != 1801 {
			t.Fatalf("%d lines, %v", len(changes[0].Lines), err)
		}
	})
}

func TestADiffNamesEveryDefinition(t *testing.T) {
	t.Parallel()
	const two = "# for all\n- segment: vip\n  when: {trait: a}\n- segment: new\n  when: {trait: b}\n"
	old := sourceOf(t, "shop.yaml", "name: A\n", "segments/all.yaml", two, "journeys/welcome.yaml", "x\n", "templates/hi.html.liquid", "hi", "templates/hi.txt.liquid", "hi")
	new := sourceOf(t, "shop.yaml", "name: A\n", "segments/all.yaml", strings.Replace(two, "trait: b", "trait: c", 1), "campaigns/sale.yaml", "y\n", "templates/hi.html.liquid", "ho", "templates/hi.txt.liquid", "hi")
	var got []string
	for _, c := range program.Diff(old, new) {
		got = append(got, c.What+" "+c.Kind+" "+c.Name+" "+c.File)
	}
	want := "added campaign sale campaigns/sale.yaml, removed journey welcome journeys/welcome.yaml, changed segment new segments/all.yaml, changed template hi templates/hi.html.liquid"
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
	if all := program.Diff(nil, old); len(all) != 6 || all[0].What != program.Added {
		t.Errorf("from nothing: %+v", all)
	}
}
