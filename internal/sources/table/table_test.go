package table_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/klauspost/compress/gzip"

	"rapport/internal/fault"
	"rapport/internal/sources/table"
)

// read returns the header and the good rows of a table, and what is wrong with others.
func read(t *testing.T, r io.Reader) (header []string, rows [][]string, wrong []string) {
	t.Helper()
	tab, err := table.OpenTable(r, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	for {
		rec, err := tab.Rows.Next()
		if errors.Is(err, io.EOF) {
			return tab.Header, rows, wrong
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec.Why != "" {
			wrong = append(wrong, "line "+strconv.FormatInt(rec.Line, 10)+": "+rec.Why)
			continue
		}
		var row []string
		for _, f := range rec.Fields {
			b, why := table.Cell(f, tab.Encoding)
			if why != "" {
				b = []byte("! " + why)
			}
			row = append(row, string(b))
		}
		rows = append(rows, row)
	}
}

func wide(s string, big bool) string {
	var b []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + s)) {
		if big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return string(b)
}

func zipped(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range files {
		f, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(f, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestATableIsReadHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	text := "name,city\nZoë 😀,Köln\nBob,Łódź\n"
	for what, file := range map[string]string{
		"UTF-8": text, "UTF-8 with its mark": "\ufeff" + text, "UTF-16, little end first": wide(text, false), "UTF-16, big end first": wide(text, true),
		"UTF-16 without a mark": wide(text, false)[2:], "semicolons": strings.ReplaceAll(text, ",", ";"), "tabs": strings.ReplaceAll(text, ",", "\t"),
		"lines of Windows": strings.ReplaceAll(text, "\n", "\r\n"), "JSON lines": `{"name":"Zoë 😀","city":"Köln"}` + "\n\n" + `{"city":"Łódź","name":"Bob"}`,
		"zip": zipped(t, map[string]string{"../../etc/passwd": text}),
	} {
		header, rows, wrong := read(t, strings.NewReader(file))
		if !slices.Equal(header, []string{"name", "city"}) || len(wrong) > 0 || len(rows) != 2 || !slices.Equal(rows[0], []string{"Zoë 😀", "Köln"}) || !slices.Equal(rows[1], []string{"Bob", "Łódź"}) {
			t.Errorf("%s: %q %q %q", what, header, rows, wrong)
		}
	}
	// A byte at a time, as a slow connection brings it.
	if _, rows, _ := read(t, iotest.OneByteReader(strings.NewReader(wide(text, false)))); len(rows) != 2 || rows[0][0] != "Zoë 😀" {
		t.Errorf("a byte at a time: %q", rows)
	}
	_, rows, _ := read(t, strings.NewReader("name,city\nZo\xeb,K\xf6ln\n"))
	if len(rows) != 1 || rows[0][0] != "Zoë" {
		t.Errorf("windows-1252: %q", rows)
	}
}

func TestABrokenLineCostsItselfAndNoOther(t *testing.T) {
	t.Parallel()
	_, rows, wrong := read(t, strings.NewReader("a,b\n1,2\n6,\"x\"y\n4,5\n\"never closed,3\n7,8\n"))
	if len(rows) != 3 || len(wrong) != 2 || !strings.Contains(wrong[0], "line 3") || !strings.Contains(wrong[1], "never closed") {
		t.Errorf("%q %q", rows, wrong)
	}
	deep := strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200)
	_, rows, wrong = read(t, strings.NewReader(`{"a":1,"b":{"c":[1,2]}}`+"\n{\n"+deep+"\n[1]\n"+`{"a":3}`))
	if len(rows) != 2 || rows[0][1] != `{"c":[1,2]}` || len(wrong) != 3 || !strings.Contains(wrong[1], "deeper") || !strings.Contains(wrong[2], "no JSON object") {
		t.Errorf("%q %q", rows, wrong)
	}
}

func TestAnArchiveOfSeveralFilesAndAWorkbookAreRefusedWithAWordOnWhatToDo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, want string }{
		{zipped(t, map[string]string{"a.csv": "a\n", "b.csv": "b\n"}), "import each by itself"},
		{zipped(t, map[string]string{"[Content_Types].xml": "<x/>"}), "Excel workbook"},
		{zipped(t, nil), "holds 0 files"},
		{"PK\x03\x04....", "is not"},
	} {
		if _, err := table.OpenTable(strings.NewReader(c.file), 0, ""); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	stream := struct{ io.Reader }{strings.NewReader(zipped(t, map[string]string{"a.csv": "a\n"}))}
	if _, err := table.OpenTable(stream, 0, ""); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "as a stream") {
		t.Errorf("a zip archive as a stream: %v", err)
	}
}

// zeros is n bytes of the line that packs best.
type zeros struct{ n int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.n <= 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), z.n)]
	for i := range p {
		p[i] = '\n'
	}
	z.n -= int64(len(p))
	return len(p), nil
}

// TestItem60AFileThatUnpacksToGigabytesIsCutOff: a bomb of 4 GB in a few megabytes, by
// gzip and by zip, ends as TooLarge before it has cost memory or much time.
func TestItem60AFileThatUnpacksToGigabytesIsCutOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const size = 4 << 30
	makers := map[string]func(io.Writer) (io.Writer, func() error){
		"bomb.gz": func(w io.Writer) (io.Writer, func() error) {
			z := gzip.NewWriter(w)
			return z, z.Close
		},
		"bomb.zip": func(w io.Writer) (io.Writer, func() error) {
			z := zip.NewWriter(w)
			f, err := z.Create("../../etc/x")
			if err != nil {
				t.Fatal(err)
			}
			return f, z.Close
		},
	}
	for name, pack := range makers {
		path := filepath.Join(dir, name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		w, done := pack(f)
		_, err = io.Copy(w, io.MultiReader(strings.NewReader("a,b\n1,2\n"), &zeros{size / 16}))
		if err := errors.Join(err, done(), f.Close()); err != nil {
			t.Fatal(err)
		}
		if f, err = os.Open(path); err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		tab, err := table.OpenTable(f, 0, "")
		rows := 0
		for err == nil {
			if _, err = tab.Rows.Next(); err == nil {
				rows++
			}
		}
		runtime.ReadMemStats(&after)
		if !fault.Is(err, fault.TooLarge) || rows != 1 {
			t.Errorf("%s: %d rows, %v", name, rows, err)
		}
		if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 256<<20 {
			t.Errorf("%s took %d MB of memory", name, grown>>20)
		}
	}
}

// TestItem59ACellThatASpreadsheetWouldRunIsNeutralAndComesBackTheSame: whatever a cell
// holds, the report makes a text of it, and an import of the report gives it back.
func TestItem59ACellThatASpreadsheetWouldRunIsNeutralAndComesBackTheSame(t *testing.T) {
	t.Parallel()
	cells := []string{
		`=HYPERLINK("http://evil","x")`, "+cmd|' /C calc'!A0", "@SUM(1)", "-2+3", "\tx", "'=1+1", "''+x", "-5", "+4420", "plain", "'quoted'", "o'neil",
	}
	var b bytes.Buffer
	r, err := table.NewReport(&b, []string{"v"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cells {
		if err := r.Add(table.Refusal{Line: 1, Reason: "=why", Fields: [][]byte{[]byte(c)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n")[1:] {
		for _, cell := range strings.Split(line, ",")[1:] {
			cell = strings.TrimPrefix(cell, `"`)
			if _, number := strconv.ParseFloat(strings.Trim(cell, `"`), 64); cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) && number != nil {
				t.Errorf("the cell %q would be run", cell)
			}
		}
	}
	_, rows, wrong := read(t, &b)
	if len(rows) != len(cells) || len(wrong) > 0 {
		t.Fatalf("%d rows, %q", len(rows), wrong)
	}
	for i, c := range cells {
		if rows[i][2] != c {
			t.Errorf("%q came back as %q", c, rows[i][2])
		}
	}
	if _, why := table.Cell([]byte("=1+1"), table.UTF8); !strings.Contains(why, "formula") {
		t.Errorf("a formula of a stranger's file: %q", why)
	}
}

// TestItem60ThreeMillionRowsInUTF16TakeLittleMemory reads a file that was never whole. It
// runs alone: what others take meanwhile would count.
func TestItem60ThreeMillionRowsInUTF16TakeLittleMemory(t *testing.T) {
	const rows = 3_000_000
	in, out := io.Pipe()
	go func() {
		line := []byte(wide("zoë@shop.example,1\n", false)[2:])
		block := bytes.Repeat(line, 1000)
		if _, err := out.Write([]byte(wide("email,n\n", false))); err != nil {
			return
		}
		for range rows / 1000 {
			if _, err := out.Write(block); err != nil {
				return
			}
		}
		out.Close()
	}()
	tab, err := table.OpenTable(in, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n := 0
	for {
		rec, err := tab.Rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || rec.Why != "" || len(rec.Fields) != 2 {
			t.Fatalf("row %d: %v %q", n, err, rec.Why)
		}
		n++
	}
	runtime.ReadMemStats(&after)
	if n != rows {
		t.Errorf("%d rows, want %d", n, rows)
	}
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 64<<20 {
		t.Errorf("reading took %d MB", grown>>20)
	}
}

func TestWindowsLettersAreReadInWhateverPieces(t *testing.T) {
	t.Parallel()
	const text, want = "M\xf6bel \x80 \x93Wei\xdf\x94 \x81", "Möbel € “Weiß” \u0081"
	for name, r := range map[string]io.Reader{"whole": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text)), "with the end at once": iotest.DataErrReader(strings.NewReader(text))} {
		b, err := io.ReadAll(iotest.OneByteReader(table.FromWindows(r)))
		if err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if _, err := io.ReadAll(table.FromWindows(iotest.ErrReader(io.ErrUnexpectedEOF))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that breaks off: %v", err)
	}
}
