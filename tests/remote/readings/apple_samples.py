"""Output of macOS's tools as their formats are known, shortened. Written by hand: not recorded on a Mac."""

IOREG = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<array>
\t<dict>
\t\t<key>IOClass</key><string>AGXAcceleratorG14X</string>
\t\t<key>IOObjectClass</key><string>AGXAcceleratorG14X</string>
\t\t<key>IORegistryEntryName</key><string>AGXAcceleratorG14X</string>
\t\t<key>model</key><string>Apple M2 Ultra</string>
\t\t<key>gpu-core-count</key><integer>76</integer>
\t\t<key>MetalPluginName</key><string>AGXMetalG14X</string>
\t\t<key>PerformanceStatistics</key>
\t\t<dict>
\t\t\t<key>Alloc system memory</key><integer>48318382080</integer>
\t\t\t<key>Allocated PB Size</key><integer>47185920</integer>
\t\t\t<key>Device Utilization %</key><integer>97</integer>
\t\t\t<key>In use system memory</key><integer>42949672960</integer>
\t\t\t<key>In use system memory (driver)</key><integer>0</integer>
\t\t\t<key>Renderer Utilization %</key><integer>96</integer>
\t\t\t<key>Tiler Utilization %</key><integer>11</integer>
\t\t\t<key>recoveryCount</key><integer>0</integer>
\t\t</dict>
\t</dict>
</array>
</plist>
"""

IOREG_WITHOUT_STATISTICS = b"""<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><array><dict>
<key>IOClass</key><string>IntelAccelerator</string>
<key>model</key><data>SW50ZWwgSXJpcyBQbHVzAA==</data>
</dict></array></plist>
"""

VM_STAT = b"""Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               412345.
Pages active:                            3012345.
Pages inactive:                          2998765.
Pages speculative:                         12345.
Pages throttled:                               0.
Pages wired down:                         400000.
Pages purgeable:                           54321.
"Translation faults":                 9876543210.
Pages copy-on-write:                   123456789.
Pages zero filled:                    4567890123.
Pages reactivated:                      23456789.
Pages stored in compressor:              2345678.
Pages occupied by compressor:             500000.
Decompressions:                          3456789.
Swapins:                                   12345.
"""

SYSCTL = b"""hw.memsize: 206158430208
vm.swapusage: total = 3072.00M  used = 1536.50M  free = 1535.50M  (encrypted)
kern.memorystatus_vm_pressure_level: 2
"""

SYSCTL_WITH_COMMAS = SYSCTL.replace(b"1536.50M", b"1536,50M")
