// Package spec_test compares the documents of this folder, and docs/operations.md,
// with the code: what is promised is written down, and nothing else is.
package spec_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// page is a document, in lines.
type page struct {
	name  string
	lines []string
}

// read returns the document at path, from this folder.
func read(t *testing.T, path string) page {
	t.Helper()
	raw, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	return page{name: filepath.Base(path), lines: strings.Split(string(raw), "\n")}
}

func (p page) text() string { return strings.Join(p.lines, "\n") }

// heading is a heading of Markdown, with its level.
var heading = regexp.MustCompile(`^(#+) (.*)$`)

// section returns what is under the heading title, down to the next one of any level.
func (p page) section(t *testing.T, title string) page {
	t.Helper()
	var out []string
	found, code := false, false
	for _, line := range p.lines {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			code = !code
		}
		if m := heading.FindStringSubmatch(line); m != nil && !code {
			if found {
				break
			}
			found = m[2] == title
			continue
		}
		if found {
			out = append(out, line)
		}
	}
	if !found {
		t.Fatalf("%s has no section %q", p.name, title)
	}
	return page{name: p.name + "#" + title, lines: out}
}

// table returns the rows of the one table of p whose first heading is first, each as
// its cells.
func (p page) table(t *testing.T, first string) [][]string {
	t.Helper()
	var rows [][]string
	inside := false
	for _, line := range p.lines {
		cells := cellsOf(line)
		switch {
		case cells == nil:
			inside = false
		case inside && !strings.HasPrefix(cells[0], "---"):
			rows = append(rows, cells)
		case cells[0] == first:
			inside = true
		}
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no table whose first heading is %q", p.name, first)
	}
	return rows
}

// cellsOf returns the cells of a line of a table, or nil.
func cellsOf(line string) []string {
	line, ok := strings.CutPrefix(strings.TrimSpace(line), "|")
	if !ok {
		return nil
	}
	cells := strings.Split(strings.TrimSuffix(line, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

// code returns what a cell has in backticks, and fails the test where that is not one
// thing.
func code(t *testing.T, p page, cell string) string {
	t.Helper()
	parts := strings.Split(cell, "`")
	if len(parts) != 3 {
		t.Fatalf("%s: the cell %q must have one thing in backticks", p.name, cell)
	}
	return parts[1]
}

// column returns the code of one column of rows.
func column(t *testing.T, p page, rows [][]string, i int) []string {
	t.Helper()
	var out []string
	for _, row := range rows {
		out = append(out, code(t, p, row[i]))
	}
	return out
}

// same fails the test with a sentence for everything that only one side has. what is
// the kind of thing, in the singular.
func same(t *testing.T, p page, what string, documented, real []string) {
	t.Helper()
	for _, r := range real {
		if !slices.Contains(documented, r) {
			t.Errorf("docs: %s does not mention the %s %s", p.name, what, r)
		}
	}
	for i, d := range documented {
		if !slices.Contains(real, d) {
			t.Errorf("docs: %s mentions the %s %s, which does not exist", p.name, what, d)
		}
		if slices.Contains(documented[:i], d) {
			t.Errorf("docs: %s mentions the %s %s twice", p.name, what, d)
		}
	}
}

// TestLinksLeadSomewhere follows every relative link of the documents, to the heading.
func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)]+)\)`)
	for _, path := range []string{"check.md", "results.md", "telemetry.md", "../operations.md"} {
		for _, m := range link.FindAllStringSubmatch(read(t, path).text(), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := path
			if target != "" {
				file = filepath.Join(filepath.Dir(path), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("docs: %s links to %s, which does not exist", path, m[1])
				continue
			}
			if anchor != "" && !slices.Contains(anchors(read(t, file)), anchor) {
				t.Errorf("docs: %s links to %s, and there is no such heading", path, m[1])
			}
		}
	}
}

// anchors returns the anchors of the headings of p.
func anchors(p page) []string {
	var out []string
	for _, line := range p.lines {
		if m := heading.FindStringSubmatch(line); m != nil {
			out = append(out, strings.ReplaceAll(strings.ToLower(m[2]), " ", "-"))
		}
	}
	return out
}

// TestBodiesAreThoseOfTheTests compares the answers in results.md with the golden
// files that the tests of the receiver hold true.
func TestBodiesAreThoseOfTheTests(t *testing.T) {
	text := read(t, "results.md").text()
	for _, name := range []string{
		"answers/accepted-but-for-two-metrics", "refusals/unknown-fields", "refusals/NaN", "refusals/a-form",
	} {
		golden, err := os.ReadFile("../../receiver/testdata/" + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		answer, _, _ := bytes.Cut(golden, []byte("\nverdict:")) // what the sender sees
		if !strings.Contains(text, "```http\n"+strings.TrimSpace(string(answer))+"\n```") {
			t.Errorf("docs: results.md has not the answer of receiver/testdata/%s.txt as it is:\n%s", name, answer)
		}
	}
}

// TestFlags compares the tables of flags with the help of the commands, which is a
// golden file.
func TestFlags(t *testing.T) {
	flag := regexp.MustCompile(`(?m)^  --([a-z-]+) .*?(?:\(default ([^)]*)\))?$`)
	for _, command := range []string{"controller", "receiver"} {
		help, err := os.ReadFile("../../cmd/sonde/testdata/sonde-" + command + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		p := read(t, "../operations.md").section(t, "sonde "+command)
		rows := p.table(t, "flag")
		var real []string
		for _, m := range flag.FindAllStringSubmatch(string(help), -1) {
			name, def := "--"+m[1], m[2]
			real = append(real, name)
			i := slices.IndexFunc(rows, func(r []string) bool { return r[0] == "`"+name+"`" })
			if i < 0 {
				continue // same says so
			}
			if env := "`SONDE_" + strings.ToUpper(strings.ReplaceAll(m[1], "-", "_")) + "`"; rows[i][1] != env {
				t.Errorf("docs: %s says that the variable of %s is %s, and it is %s", p.name, name, rows[i][1], env)
			}
			if got := strings.Trim(rows[i][2], "`"); got != def && name != "--namespace" { // its default is that of the pod
				t.Errorf("docs: %s says that the default of %s is %q, and it is %q", p.name, name, got, def)
			}
		}
		same(t, p, "flag", column(t, p, rows, 0), real)
	}
}

// number returns the number at the beginning of a cell.
func number(cell string) string {
	return regexp.MustCompile(`^\d+`).FindString(cell)
}

// limit is a limit of the code by the name that the documents give it.
type limit struct {
	name  string
	value any
}

// sameLimits compares the values of limits with those of a table.
func sameLimits(t *testing.T, p page, documented [][]string, real []limit) {
	t.Helper()
	for _, r := range real {
		i := slices.IndexFunc(documented, func(row []string) bool { return row[0] == "`"+r.name+"`" })
		switch {
		case i < 0:
			t.Errorf("docs: %s does not mention the limit %s", p.name, r.name)
		case number(documented[i][1]) != fmt.Sprint(r.value):
			t.Errorf("docs: %s says that %s is %q, and it is %v", p.name, r.name, documented[i][1], r.value)
		}
	}
}
