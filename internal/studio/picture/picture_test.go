package picture_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"rapport/internal/fault"
	"rapport/internal/studio/picture"
)

// flag is a picture whose left half is red and right half blue.
func flag(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{255, 0, 0, 255}
			if x >= w/2 {
				c = color.NRGBA{0, 0, 255, 255}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

func asPNG(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(t *testing.T, m image.Image, app1 []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	if app1 == nil {
		return b.Bytes()
	}
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, byte((len(app1)+2)>>8), byte(len(app1)+2))
	return append(append(out, app1...), b.Bytes()[2:]...)
}

// exif says how the camera was held, and where it was.
func exif(turn byte) []byte {
	return append([]byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00"), turn, 0, 0, 0, 0, 0, 0, 0, 'G', 'P', 'S', 'h', 'o', 'm', 'e')
}

func asGIF(t *testing.T, w, h, frames int) []byte {
	t.Helper()
	g := &gif.GIF{}
	for i := range frames {
		m := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.White, color.Black})
		m.Pix[i%len(m.Pix)] = 1
		g.Image, g.Delay = append(g.Image, m), append(g.Delay, 10)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(t *testing.T, b []byte) image.Image {
	t.Helper()
	m, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEveryPictureIsKeptInEverySizeAndNeverEnlarged(t *testing.T) {
	t.Parallel()
	webp, err := base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		body   []byte
		ext    string
		widths []int
	}{
		{"a wide PNG", asPNG(t, flag(1600, 400)), "png", []int{150, 300, 600, 1200}},
		{"a JPEG of 500", asJPEG(t, flag(500, 500), nil), "jpg", []int{150, 300, 500, 500}},
		{"a still GIF", asGIF(t, 320, 20, 1), "png", []int{150, 300, 320, 320}},
		{"a moving GIF", asGIF(t, 320, 20, 3), "gif", []int{320, 320, 320, 320}},
		{"a WebP", webp, "jpg", []int{1, 1, 1, 1}},
	} {
		info, made, err := picture.Make(c.body)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if seen, err := picture.Inspect(c.body); err != nil || seen != info || info.Ext != c.ext {
			t.Errorf("%s: Inspect says %v, %v, Make %v", c.name, seen, err, info)
		}
		for k, want := range c.widths {
			if got := decode(t, made[k]).Bounds().Dx(); got != want {
				t.Errorf("%s in %s is %d wide, want %d", c.name, picture.Sizes[k].Name, got, want)
			}
		}
		if back, ok := picture.ParseInfo(info.String()); !ok || back != info {
			t.Errorf("%s: read back as %v, %v", c.name, back, ok)
		}
	}
}

func TestAPictureStandsUprightAndSaysNothingOfItsCamera(t *testing.T) {
	t.Parallel()
	for turn, want := range map[byte][4]string{ // the colours at the left, right, top, bottom
		1: {"red", "blue", "", ""}, 2: {"blue", "red", "", ""}, 3: {"blue", "red", "", ""}, 4: {"red", "blue", "", ""},
		5: {"", "", "red", "blue"}, 6: {"", "", "red", "blue"}, 7: {"", "", "blue", "red"}, 8: {"", "", "blue", "red"},
	} {
		info, made, err := picture.Make(asJPEG(t, flag(80, 40), exif(turn)))
		if err != nil {
			t.Fatal(err)
		}
		m := decode(t, made[0])
		b := m.Bounds()
		if b.Dx() != info.Width || b.Dy() != info.Height {
			t.Errorf("turn %d: %v, Inspect says %dx%d", turn, b, info.Width, info.Height)
		}
		for i, at := range []image.Point{{4, b.Dy() / 2}, {b.Dx() - 4, b.Dy() / 2}, {b.Dx() / 2, 4}, {b.Dx() / 2, b.Dy() - 4}} {
			r, _, blue, _ := m.At(at.X, at.Y).RGBA()
			name := "red"
			if blue > r {
				name = "blue"
			}
			if want[i] != "" && name != want[i] {
				t.Errorf("turn %d: %v is %s, want %s", turn, at, name, want[i])
			}
		}
		for _, body := range made {
			if bytes.Contains(body, []byte("Exif")) || bytes.Contains(body, []byte("GPS")) {
				t.Fatalf("turn %d: the place is still in it", turn)
			}
		}
	}
}

// bomb is a PNG whose header promises more than it could hold.
func bomb(w, h uint32) []byte {
	head := append([]byte("IHDR"), 0, 0, 0, 0, 0, 0, 0, 0, 8, 6, 0, 0, 0)
	binary.BigEndian.PutUint32(head[4:], w)
	binary.BigEndian.PutUint32(head[8:], h)
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
}

func TestWhatIsNoPictureOrTooLargeIsRefusedBeforeItIsDecoded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		body []byte
		kind fault.Kind
		want string
	}{
		{"a drawing", []byte(`<?xml version="1.0"?><svg onload="alert(1)"/>`), fault.Invalid, "SVG"},
		{"a page", []byte("<html>"), fault.Invalid, "JPEG, PNG, GIF or WebP"},
		{"nothing", nil, fault.Invalid, "no picture"},
		{"a cut off PNG", asPNG(t, flag(10, 10))[:20], fault.Invalid, "damaged"},
		{"a side too long", bomb(60_000, 10), fault.TooLarge, "60000 x 10"},
		{"too many pixels", bomb(9_000, 9_000), fault.TooLarge, "million pixels"},
		{"a size beyond counting", bomb(1<<31-1, 1<<31-1), fault.TooLarge, ""},
		{"too many frames", asGIF(t, 4, 4, 600), fault.TooLarge, "frames"},
		{"frames too large together", asGIF(t, 600, 600, 90), fault.TooLarge, "frames"},
		{"too many bytes", append(asPNG(t, flag(1, 1)), make([]byte, picture.MaxBytes)...), fault.TooLarge, "MB"},
	} {
		_, err := picture.Inspect(c.body)
		if !fault.Is(err, c.kind) && !(c.want == "" && err != nil) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s, %q", c.name, err, c.kind, c.want)
		}
		if _, _, err := picture.Make(c.body); err == nil {
			t.Errorf("%s was made", c.name)
		}
	}
	cut := asJPEG(t, flag(100, 100), nil)
	if _, _, err := picture.Make(cut[:len(cut)/2]); !fault.Is(err, fault.Invalid) {
		t.Errorf("half a JPEG: %v", err)
	}
}

func TestTheSizeFitsTheScreen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		own, shown int
		want       string
	}{{2000, 60, "thumb"}, {2000, 75, "thumb"}, {2000, 150, "card"}, {2000, 240, "half"}, {2000, 600, "full"}, {2000, 900, "full"}, {200, 600, "card"}} {
		if got := (picture.Info{Width: c.own}).Fit(c.shown); got.Name != c.want {
			t.Errorf("%d wide, shown %d wide: %s, want %s", c.own, c.shown, got.Name, c.want)
		}
	}
}

func TestALibraryServesWhatItTookInAndNothingElse(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pictures")
	l := picture.Open(dir)
	body := asPNG(t, flag(700, 20))
	err := l.Import(t.Context(), fstest.MapFS{"pictures/flag.png": {Data: body}, "pictures/notes.txt": {Data: []byte("x")}, "shop.yaml": {}})
	if err != nil {
		t.Fatal(err)
	}
	info, err := l.Add(t.Context(), body)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range picture.Sizes {
		got, kind, err := l.Picture(t.Context(), info.Name(s))
		if err != nil || kind != "image/png" || decode(t, got).Bounds().Dx() != min(s.Width, 700) {
			t.Errorf("%s: %s, %v", info.Name(s), kind, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"secret", "../pictures/secret", "", ".", strings.Repeat("0", 32) + "-600.png", info.Hash + "-601.png", info.Hash + "-600.jpg", info.Hash + "-600.png/", "A" + info.Hash[1:] + "-600.png"} {
		if _, _, err := l.Picture(t.Context(), name); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q: %v, want NotFound", name, err)
		}
	}
	if err := l.Import(t.Context(), fstest.MapFS{"pictures/a.png": {Data: []byte("<svg/>")}}); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "pictures/a.png") {
		t.Errorf("a drawing: %v", err)
	}
	if err := l.Import(t.Context(), fstest.MapFS{}); err != nil {
		t.Errorf("no pictures: %v", err)
	}
}

func FuzzInspect(f *testing.F) {
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00"))
	f.Add(exif(6))
	f.Add(append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, 36}, exif(6)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if i, err := picture.Inspect(b); err == nil && i.Width*i.Height > picture.MaxPixels {
			t.Errorf("%v was let through", i)
		}
	})
}

func TestTheWordsOfAPictureStandOnItsLine(t *testing.T) {
	t.Parallel()
	plain := picture.Info{Hash: strings.Repeat("a", 32), Ext: "jpg", Width: 7, Height: 5}
	said := plain
	said.Alt = "A lamp, 20 cm, \"lit\" & <warm>"
	if back, ok := picture.ParseInfo(said.String()); !ok || back != said {
		t.Errorf("read back as %v, %v", back, ok)
	}
	for _, line := range []string{
		plain.String() + " ", plain.String() + "  two spaces", plain.String() + " ends ", plain.String() + " a\nb", plain.String() + " " + strings.Repeat("x", 301), plain.String() + "\n",
	} {
		if _, ok := picture.ParseInfo(line); ok {
			t.Errorf("%q is read", line)
		}
	}
}
