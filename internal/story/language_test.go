package story_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"rapport/internal/fault"
	"rapport/internal/story"
)

// tell plays one story against the example shop.
func tell(t *testing.T, body string) story.Result {
	t.Helper()
	result, err := story.Run(fstest.MapFS{"a.story": {Data: []byte(body)}}, compiled(t, "../../examples/shop"))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

const known = "journeys: welcome\nMon 09:00  ada  Consent Given    email\nMon 10:00  ada  Order Completed  mug\n"

func TestAStoryThatDoesNotHoldSaysWhereAndWhatHappened(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, want string }{
		{"nothing was expected", known + "+2d  ada  -> nothing\n", "a.story:4: expected nothing to be sent to ada; email welcome was sent at Tue 2024-01-02 10:00\n\t+2d ada -> nothing"},
		{"something was", known + "+1h  ada  -> mail welcome\n", "a.story:4: expected mail welcome to ada; what there is: in journey welcome at settle until Tue 2024-01-02 10:00"},
		{"something else was", known + "+2d  ada  -> mail thank-you\n", "a.story:4: expected mail thank-you to ada; email welcome was sent instead, at Tue 2024-01-02 10:00"},
		{"on another channel", known + "+2d  ada  -> sms welcome\n", "a.story:4: expected sms welcome to ada; email welcome was sent instead"},
		{"with other words", known + "+2d  ada  -> mail welcome  subject=\"Hello\"\n", "a.story:4: expected mail welcome to ada with subject=\"Hello\"; it is “Welcome, Ada”"},
		{"no line names it", known + "+2d  ada  in active\n", "a.story:4: no line expects that email welcome was sent to ada at Tue 2024-01-02 10:00"},
		{"the gate says otherwise", known + "+1m  ada  ? email mug  allowed\n", "a.story:4: expected the gate to say allowed to ada; it says never, just_bought: "},
		{"not in a segment", known + "  ada  in vip-spend\n", "a.story:4: expected ada in vip-spend; the segments are: new, active"},
		{"in a segment", known + "  ada  not in new\n", "a.story:4: expected ada not in new; the segments are: new, active"},
		{"not in a journey", known + "  ada  not in journey welcome\n", "a.story:4: expected ada not in journey welcome; what there is: in journey welcome at settle"},
		{"at another step", known + "  ada  in journey welcome at hello\n", "a.story:4: expected ada in journey welcome at hello; the step is settle"},
		{"nothing waits", known + "  ada  waiting welcome\n", "a.story:4: expected welcome to wait for ada; what there is: "},
		{"a trait", known + "  ada  has first_name=Eve\n", "a.story:4: expected ada has first_name=Eve; first_name is Ada"},
		{"no trait", known + "  ada  not has first_name\n", "a.story:4: expected ada has not first_name; first_name is Ada"},
		{"one person", known + "  ada  is bob\n", "a.story:4: expected ada and bob to be one person; they are two"},
		{"two people", known + "  ada  is not <ada@people.example>\n", "a.story:4: expected ada and <ada@people.example> to be two people; they are one"},
		{"how many people", known + "  *  people 3\n", "a.story:4: expected 3 people; there are 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			result := tell(t, c.body)
			if result.Failed != 1 || result.Passed != 0 || len(result.Failures) != 1 {
				t.Fatalf("result = %+v", result)
			}
			if got := result.Failures[0].String(); !strings.HasPrefix(got, c.want) {
				t.Errorf("failure = %q\nwant     %q", got, c.want)
			}
		})
	}
}

func TestWhatIsNoStoryIsExplained(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, want string }{
		{"one space between columns", "Mon 09:00 ada Order Completed boots\n", "a.story:1: a line has a time, a person and what happens, with two spaces or more between them"},
		{"an empty story", "# nothing\n", "a.story:2: nothing happens in the story"},
		{"a slip in the head", "stat: 2024-01-01\n", "a.story:1: the head of a story has no \"stat\"; it has story, start"},
		{"a head twice", "start: 2024-01-01\nstart: 2024-01-02\n", "a.story:2: start is said twice"},
		{"a start that is no day", "start: Monday\n", "a.story:1: start is a day such as 2011-03-07, not \"Monday\""},
		{"a zone that is none", "zone: Mars\nMon 09:00  ada  Order Completed\n", "a.story:1: there is no time zone \"Mars\""},
		{"a journey that is none", "journeys: wellcome\nMon 09:00  ada  Order Completed\n", "a.story:1: there is no journey \"wellcome\""},
		{"definitions that are not there", "definitions: v2\nMon 09:00  ada  Order Completed\n", "a.story:1: "},
		{"definitions out of the folder", "definitions: ../../etc\nMon 09:00  ada  Order Completed\n", "a.story:1: there is no folder ../../etc below the stories"},
		{"a time that is none", "Mon 9 o'clock  ada  Order Completed\n", "a.story:1: the time \"Mon 9 o'clock\" is not understood"},
		{"a time that goes back", "Mon 09:00  ada  Order Completed\n08:00  ada  Order Completed\n", "a.story:2: the time \"08:00\" goes back: it is Mon 2024-01-01 09:00 already"},
		{"a time that does not exist", "start: 2024-03-31\n01:30  ada  Order Completed\n", "a.story:2: the time \"01:30\" is not understood"},
		{"a person that is none", "Mon 09:00  ada lovelace  Order Completed\n", "a.story:1: \"ada lovelace\" is no person"},
		{"an address that is none", "Mon 09:00  <ada>  Order Completed\n", "a.story:1: <ada> is no e-mail address"},
		{"a name for nobody", "Mon 09:00  guest  Order Completed\n", "a.story:1: guest cannot be recognised"},
		{"nobody does something", "Mon 09:00  *  Order Completed\n", "a.story:1: nobody in particular cannot do anything"},
		{"a product that is none", "Mon 09:00  ada  Order Completed  mug@much\n", "a.story:1: \"mug@much\" is no product"},
		{"a trait without a value", "Mon 09:00  ada  identify  country\n", "a.story:1: \"country\" is no property; write key=value"},
		{"consent to nothing", "Mon 09:00  ada  Consent Given\n", "a.story:1: write the channel"},
		{"late by nothing", "Mon 09:00  ada  late Order Completed  mug\n", "a.story:1: write how late it is heard"},
		{"an address that does nothing", "Mon 09:00  ada  address explodes\n", "a.story:1: an address bounces, defers or works, not \"explodes\""},
		{"a segment that is none", "Mon 09:00  ada  in vip\n", "a.story:1: there is no segment \"vip\""},
		{"a repeat without an end", "repeat 3\n+1m  ada  Order Completed\n", "a.story:1: the repeat has no line “end”"},
		{"a repeat of millions", "repeat 1000000\nend\n", "a.story:1: repeat takes a number from 1 to 2000"},
		{"a repeat within a repeat", "repeat 2\nrepeat 2\nend\nend\n", "a.story:2: a repeat stands within a repeat"},
		{"more lines than there may be", strings.Repeat("repeat 2000\n+1s  ada  Page Viewed\nend\n", 3), "a.story:8: the story has more than 5000 lines"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			result := tell(t, c.body)
			if len(result.Failures) != 1 || !strings.HasPrefix(result.Failures[0].String(), c.want) {
				t.Errorf("failures = %q\nwant %q", result.Failures, c.want)
			}
		})
	}
}

func TestTimesAreReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	// The welcome comes a day after the order: each line ends at exactly that instant.
	for _, when := range []string{"Tue 10:00", "2024-01-02 10:00", "+1d", "+24h", "+23h60m", "+1d 10:00"} {
		result := tell(t, known+when+"  ada  -> mail welcome\n")
		for _, f := range result.Failures {
			t.Errorf("%s: %s", when, f)
		}
	}
	for _, when := range []string{"Tue 09:59", "09:59:59", "+23h59m59s"} {
		if when == "09:59:59" {
			continue // today, and it is 10:00 already
		}
		for _, f := range tell(t, known+when+"  ada  -> nothing\n").Failures {
			t.Errorf("%s: %s", when, f)
		}
	}
}

func TestWithoutStoriesOrDefinitionsThereIsNothingToSay(t *testing.T) {
	t.Parallel()
	if _, err := story.Run(fstest.MapFS{"shop.yaml": {}}, nil); !fault.Is(err, fault.NotFound) {
		t.Errorf("Run = %v", err)
	}
	result, err := story.Run(fstest.MapFS{"a.story": {Data: []byte(known)}}, nil)
	if err != nil || len(result.Failures) != 1 || !strings.Contains(result.Failures[0].What, "no definitions") {
		t.Errorf("Run = %+v, %v", result, err)
	}
}

func TestAStoryIsBounded(t *testing.T) {
	t.Parallel()
	if f := tell(t, strings.Repeat("#", story.MaxFile+1)).Failures; len(f) != 1 || !strings.Contains(f[0].What, "longer than") {
		t.Errorf("failures = %v", f)
	}
}

func TestTheSameStoryHasTheSameEnd(t *testing.T) {
	t.Parallel()
	body := known + "+2d  ada  -> nothing\n"
	if a, b := tell(t, body), tell(t, body); a.Failures[0] != b.Failures[0] {
		t.Errorf("%v, then %v", a.Failures, b.Failures)
	}
}

func FuzzRun(f *testing.F) {
	f.Add(known)
	f.Add("story: x\nrepeat 3\n+1m  u$n@d  Product Viewed  a/b@1*2  k=\"v w\"\nend\n  *  people 3\n")
	f.Add("Mon 09:00  <a@b.example>  late 1h Order Refunded  x\n+9w 01:01  a  ? email  gap\n")
	p := compiled(f, "../../examples/shop")
	f.Fuzz(func(t *testing.T, body string) {
		if strings.Contains(body, "repeat") && len(body) > 500 {
			return
		}
		result, err := story.Run(fstest.MapFS{"a.story": {Data: []byte(body)}}, p)
		if err != nil || result.Passed+result.Failed != 1 {
			t.Errorf("result = %+v, %v", result, err)
		}
	})
}
