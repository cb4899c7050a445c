package code_test

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rapport/internal/fault"
	"rapport/internal/studio/code"
)

// TestAReaderReadsThem asks zbarimg, which scripts/need.sh installs.
func TestAReaderReadsThem(t *testing.T) {
	t.Parallel()
	zbar, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Skip("zbarimg is not here: scripts/need.sh installs it")
	}
	dir := t.TempDir()
	for i, c := range []struct {
		kind        code.Kind
		text, level string
		want        string
	}{
		{code.EAN13, "4006381333931", "", "EAN-13:4006381333931"},
		{code.EAN13, "400638133393", "", "EAN-13:4006381333931"},
		{code.EAN13, "9780201379624", "", "EAN-13:9780201379624"},
		{code.EAN13, "2000000000008", "", "EAN-13:2000000000008"},
		{code.Code128, "SAVE-10", "", "CODE-128:SAVE-10"},
		{code.Code128, "1234567890", "", "CODE-128:1234567890"},
		{code.Code128, "12345", "", "CODE-128:12345"},
		{code.Code128, "A123456B", "", "CODE-128:A123456B"},
		{code.Code128, "AB1234567", "", "CODE-128:AB1234567"},
		{code.Code128, "a b~!{}", "", "CODE-128:a b~!{}"},
		{code.Code128, "42", "", "CODE-128:42"},
		{code.Code128, "7", "", "CODE-128:7"},
		{code.Code128, "12AB34", "", "CODE-128:12AB34"},
		{code.QR, "SPRING-7", "", "QR-Code:SPRING-7"},
		{code.QR, "12345678", "H", "QR-Code:12345678"},
		{code.QR, "https://shop.example/c/SPRING-7?a=b&c=d", "Q", "QR-Code:https://shop.example/c/SPRING-7?a=b&c=d"},
		{code.QR, "Grüße aus Köln", "l", "QR-Code:Grüße aus Köln"},
		{code.QR, strings.Repeat("long ", 40), "M", "QR-Code:" + strings.Repeat("long ", 40)},
	} {
		p, err := code.Draw(c.kind, c.text, c.level)
		if err != nil {
			t.Errorf("%s %q: %v", c.kind, c.text, err)
			continue
		}
		file := filepath.Join(dir, fmt.Sprintf("%d.png", i))
		if err := os.WriteFile(file, p.PNG, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), zbar, "-q", file).Output()
		if got := strings.TrimSuffix(string(out), "\n"); err != nil || got != c.want {
			t.Errorf("%s %q is read as %q, %v", c.kind, c.text, got, err)
		}
	}
}

func TestAModuleIsAWholeNumberOfPixelsOnEveryScreen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind code.Kind
		text string
	}{{code.EAN13, "4006381333931"}, {code.Code128, "SAVE-10"}, {code.Code128, "A LONGER-1 CODE"}, {code.QR, "SPRING-7"}, {code.QR, strings.Repeat("x", 150)}} {
		p, err := code.Draw(c.kind, c.text, "")
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(bytes.NewReader(p.PNG))
		if err != nil {
			t.Fatal(err)
		}
		b := m.Bounds()
		if b.Dx() != 2*p.Width || b.Dy() != 2*p.Height || p.Width > 256 {
			t.Errorf("%s: %v for %dx%d", c.kind, b, p.Width, p.Height)
		}
		black := func(x, y int) bool { r, _, _, _ := m.At(x, y).RGBA(); return r == 0 }
		edges := 0
		for y := range b.Dy() {
			if black(0, y) || black(b.Dx()-1, y) {
				t.Fatalf("%s: no quiet zone", c.kind)
			}
			for x := 1; x < b.Dx(); x++ {
				if black(x, y) != black(x-1, y) {
					edges++
					if x%2 != 0 {
						t.Fatalf("%s: an edge at pixel %d is half a pixel on a plain screen", c.kind, x)
					}
				}
			}
		}
		if edges == 0 {
			t.Errorf("%s: nothing is drawn", c.kind)
		}
	}
}

func TestWhatCannotBeSaidIsRefusedWithAWord(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind        code.Kind
		text, level string
		want        string
	}{
		{code.EAN13, "4006381333932", "", "must be 1"},
		{code.EAN13, "40063813339", "", "13 digits"},
		{code.EAN13, "40063813339a1", "", "digits only"},
		{code.Code128, "Größe", "", "3. character"},
		{code.Code128, "a\tb", "", "2. character"},
		{code.Code128, strings.Repeat("LONG", 6), "", "a QR code"},
		{code.QR, "x", "Z", "L, M, Q or H"},
		{code.QR, strings.Repeat("x", 400), "H", "too fine"},
		{code.QR, strings.Repeat("x", 401), "", "at most 400"},
		{code.QR, "", "", "nothing"},
		{code.EAN13, "4006381333931", "H", "only a QR code"},
		{"aztec", "x", "", "ean13, code128 or qr"},
	} {
		_, err := code.Draw(c.kind, c.text, c.level)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: %v, want %q", c.kind, c.text, err, c.want)
		}
		if check := code.Check(c.kind, c.text, c.level); check == nil || check.Error() != err.Error() {
			t.Errorf("%s %q: Check says %v, Draw says %v", c.kind, c.text, check, err)
		}
	}
}

func FuzzDraw(f *testing.F) {
	f.Add("SAVE-10", "H")
	f.Add("4006381333931", "")
	f.Fuzz(func(t *testing.T, text, level string) {
		for _, kind := range []code.Kind{code.EAN13, code.Code128, code.QR} {
			_, err := code.Draw(kind, text, level)
			if check := code.Check(kind, text, level); (err == nil) != (check == nil) {
				t.Errorf("%s %q %q: Draw says %v, Check says %v", kind, text, level, err, check)
			}
		}
	})
}
