package report

// maxSlip is how many letters may be wrong in what still looks like a field.
const maxSlip = 2

// nearest returns the field that name looks like, or "" if it looks like none.
func nearest(name string, fields []string) string {
	best, slips := "", maxSlip+1
	for _, field := range fields {
		if len(name) > len(field)+maxSlip {
			continue // also bounds the work for a long name
		}
		if n := distance(name, field); n < slips && n < len(field) {
			best, slips = field, n
		}
	}
	return best
}

// distance counts the letters to insert, take out or change to make b of a,
// whatever their case (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i]|0x20 != b[j]|0x20 {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j+1]+1, row[j]+1, change)
		}
	}
	return row[len(b)]
}
