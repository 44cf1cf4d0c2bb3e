#!/usr/bin/env bash
# Every damaged file yields at least as many records as marc4j's permissive reader
# gets out of it: our hostile samples, and the open data when it is there. Slow, for
# that reader goes byte by byte.
set -u
marc=$PWD/marc/command/marc
hostile=$PWD/testdata/marc/hostile
jar=/usr/share/java/marc4j.jar
cd "$TEST_TMPDIR" || exit 1
if ! command -v javac >/dev/null || [ ! -r $jar ]; then
  echo "skipped: marc4j or javac is not installed"
  exit 0
fi
cat >Count.java <<'J'
import java.io.*;
import org.marc4j.*;
public class Count {
  public static void main(String[] args) throws Exception {
    for (String name : args) {
      int count = 0;
      try {
        MarcReader reader = new MarcPermissiveStreamReader(new FileInputStream(name), true, true);
        while (reader.hasNext()) { reader.next(); count++; }
      } catch (Throwable t) { }
      System.out.println(count + " " + name);
    }
  }
}
J
javac -cp $jar Count.java || exit 1
files=$(ls "$hostile"/*.mrc)
if [ -n "${CACHEFS_CONFORMANCE_DIR:-}" ]; then
  files="$files $(find "$CACHEFS_CONFORMANCE_DIR/marc" -name '*.mrc' -o -name '*.dat' -o -name '*.bin' -o -name '*.marc' | sort)"
else
  echo "skipped: the open data is not here (CACHEFS_CONFORMANCE_DIR)"
fi
java -cp $jar:. Count $files 2>/dev/null >java.txt
better=0; worse=0; equal=0
while read -r count name; do
  ours=$("$marc" count --salvage -j1 -q "$name" 2>/dev/null)
  if [ "$ours" -lt "$count" ]; then worse=$((worse + 1)); echo "marc4j permissive reads $count, we $ours: $name"
  elif [ "$ours" -gt "$count" ]; then better=$((better + 1)); else equal=$((equal + 1)); fi
done <java.txt
echo "against marc4j's permissive reader: $better files better, $equal equal, $worse worse"
[ $((better + equal)) -gt 0 ] && [ $worse -eq 0 ]
