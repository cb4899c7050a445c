package suggest_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rapport/internal/core/recommend"
	"rapport/internal/fault"
	"rapport/internal/suggest"
)

// tolerance is what ties are worth: nobody publishes how they are broken.
const tolerance = .004

func TestTheToySetGivesThePublishedFigures(t *testing.T) {
	t.Parallel()
	archive, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "serenade-toy", "example.zip"))
	if err != nil {
		t.Skip("the toy set is not beside the checkout:", err)
	}
	list, err := suggest.Toy(archive)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if math.Abs(m.Ours-m.Published) > tolerance {
			t.Errorf("%s is %.4f, published %.4f", m.What, m.Ours, m.Published)
		}
	}
}

func TestTheLastBasketsAreGuessedBetterThanByPlainMethods(t *testing.T) {
	t.Parallel()
	list, err := suggest.Retail()
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range list {
		if i%2 == 0 && m.Ours != m.Published {
			t.Errorf("%s: %v, want %v", m.What, m.Ours, m.Published)
		}
		if i%2 == 1 && m.Ours <= m.Published+.0001 {
			t.Errorf("%s is %.4f, a plain method reaches %.4f", m.What, m.Ours, m.Published)
		}
	}
}

func TestClicksAreReadHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"SessionId\tItemId\tTime\n1\tb\t20\n1\ta\t10.5\n2\tc\t5\n",
		"time,user,session_id,item_id\r\n20,x,1,b\r\n10.5,x,1,a\r\n5,x,2,c\r\n",
		"\ufeffTimestamp;SessionID;ItemID\n1600000020000;1;b\n1600000010500;1;a\n1600000005000;2;c\n",
	} {
		got, err := suggest.ReadClicks(strings.NewReader(text))
		if err != nil || len(got) != 2 || got[0].ID != "1" || strings.Join(got[0].Items, "") != "ab" || got[0].Times[1]-got[0].Times[0] != 9500 {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":                                       "names the columns",
		"SessionId\tItemId\n":                    "no column Time",
		"SessionId\tItemId\tTime\n1\ta\n":        "line 2",
		"SessionId\tItemId\tTime\n1\ta\tnoon\n":  "no number of seconds",
		"SessionId\tItemId\tTime\n1\ta\tNaN\n":   "no number of seconds",
		"SessionId\tItemId\tTime\n1\t\t5\n":      "empty",
		"SessionId\tItemId\tTime\n\x1f\x8b\t\t5": "line 2",
		"\x1f\x8bnot gzip":                       "not gzip",
	} {
		if _, err := suggest.ReadClicks(strings.NewReader(text)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// FuzzReadClicks: whatever a file holds, it is visits or a fault.
func FuzzReadClicks(f *testing.F) {
	f.Add("SessionId\tItemId\tTime\n1\ta\t10\n1\tb\t20\n1\ta\t30\n")
	f.Add("session;item;ts\n1;a;1e300\n")
	f.Fuzz(func(t *testing.T, text string) {
		visits, err := suggest.ReadClicks(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, p := range []recommend.Protocol{recommend.Serenade, recommend.SessionRec} {
			x, _ := recommend.Learn(p, visits)
			m := recommend.Defaults(recommend.STAN)
			if _, err := recommend.Evaluate(x, &m, visits, visits, []int{3, 1}, nil); err != nil {
				t.Fatal(err)
			}
		}
	})
}
