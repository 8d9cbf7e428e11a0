# SPDX-License-Identifier: GPL-2.0
# gnuplot -c plots.gp FOLDER: plots of the tables growth-*.csv, beside them.
folder = ARG1
set datafile separator ","
set key autotitle columnhead
set key outside right center Left reverse spacing 1.4 samplen 2
set grid xtics ytics linetype 1 linecolor rgb "#e0e0e0" linewidth 0.7
set border 3 linecolor rgb "#404040"
set tics nomirror
set ylabel "guest instructions for one call"
set logscale y
set format y "10^{%T}"
# Colours that differ for the colour-blind too.
reassure = "linewidth 2.5 pointtype 7 pointsize 0.8 linecolor rgb '#d55e00'"
undo = "linewidth 1.5 pointtype 5 pointsize 0.7 linecolor rgb '#0072b2'"
fork = "linewidth 1.5 pointtype 9 pointsize 0.9 linecolor rgb '#009e73'"
other = "linewidth 1.5 pointtype 13 pointsize 0.9 linecolor rgb '#666666'"
lowest = "linewidth 1.5 pointtype 11 pointsize 0.9 linecolor rgb '#cc79a7'"

do for [kind in "svg png"] {
	if (kind eq "svg") {
		set terminal svg size 800,450 font "DejaVu Sans,13" background rgb "white"
	} else {
		set terminal pngcairo size 1200,675 fontscale 1.1 font "DejaVu Sans,12" linewidth 1.5
	}
	file(name) = sprintf("%s/growth-%s.csv", folder, name)
	image(name) = sprintf("%s/growth-%s.%s", folder, name, kind)
	with(y, style) = sprintf("using 1:%d with linespoints %s", y, style)

	set logscale x 2
	set format x "%.0f"
	set xrange [0.9:290]
	set xtics (1, 2, 4, 8, 16, 32, 64, 128, 256)
	set title "Cost by the pages that the call writes to (RSS 8 MB)"
	set xlabel "W: pages written"
	set output image("written")
	eval "plot file('written') ".with(6, fork).", '' ".with(5, undo). \
		", '' ".with(4, reassure).", '' ".with(3, lowest).", '' ".with(2, other)

	set xrange [1.8:1150]
	set xtics (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
	set title "Cost by the resident memory of the process (W=16)"
	set xlabel "resident memory in MB"
	set yrange [1000:*]
	set output image("resident")
	eval "plot file('resident') ".with(5, lowest).", '' ".with(4, fork).", '' ".with(3, undo). \
		", '' ".with(2, reassure)

	# A logarithm has no 0: it is drawn at another place.
	set logscale x 10
	from(zero, y, style) = sprintf("using (\$1 < 1 ? %g : \$1):%d with linespoints %s", zero, y, style)
	set xrange [1.7:12000]
	set xtics ("0" 2, 10, 100, 1000, 10000)
	set title "Cost by the number of mappings (W=16, RSS 8 MB)"
	set xlabel "mappings added to those of the program"
	set output image("mappings")
	eval "plot file('mappings') ".from(2, 4, fork).", '' ".from(2, 3, undo).", '' ".from(2, 2, reassure)

	set title "Cost by the number of open files (W=16, RSS 8 MB)"
	set xlabel "files opened beside those of the program"
	set output image("files")
	eval "plot file('files') ".from(2, 4, fork).", '' ".from(2, 3, undo).", '' ".from(2, 2, reassure)

	set xrange [0.42:300]
	set xtics ("0" 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256)
	set yrange [1000:100000]
	set title "Cost by the number of other threads, which sleep (W=16, RSS 8 MB)"
	set xlabel "other threads of the process"
	set output image("threads")
	eval "plot file('threads') ".from(0.5, 2, reassure)

	set title "Cost by the number of protected calls around (W=16, RSS 8 MB)"
	set xlabel "calls around"
	set output image("depth")
	eval "plot file('depth') ".from(0.5, 2, reassure)

	set xrange [800:1250000]
	set xtics ("10^3" 1000, "10^4" 10000, "10^5" 100000, "10^6" 1000000)
	set yrange [1000:*]
	set title "Two busy threads: work and a call (W=16, RSS 8 MB)"
	set xlabel "instructions of work before each call"
	set ylabel "guest instructions for both"
	set output image("work")
	eval "plot file('work') ".with(3, reassure).", '' ".with(4, undo).", '' ".with(2, other)
	set ylabel "guest instructions for one call"

	set xrange [0.42:300]
	set xtics ("0" 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256)
	set yrange [1000:100000]
	set title "Cost by the number of other protected processes (W=16, RSS 8 MB)"
	set xlabel "other processes, protected and idle"
	set ylabel "guest instructions"
	set output image("processes")
	eval "plot file('processes') ".from(0.5, 2, reassure).", '' ".from(0.5, 3, other)
	set ylabel "guest instructions for one call"
	set yrange [*:*]
	unset output
}
