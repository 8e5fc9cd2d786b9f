"""Decodes one lossless JPEG or JPEG-LS frame with GDCM; run as a program of its own by `gateway.imaging.jpeg_lossless`.

GDCM ends the whole process on some damaged frames, so it never runs inside the gateway. Frame in on stdin, pixels out
on stdout; arguments: transfer syntax, rows, columns, bits allocated, bits stored, 1 for signed, memory limit in bytes.
"""

import resource
import sys

import gdcm  # type: ignore[import-untyped]

CPU_LIMIT_S = 4


def main() -> None:
    """Read, decode, write."""
    syntax = sys.argv[1]
    rows, columns, allocated, stored, signed, memory_bytes = (int(word) for word in sys.argv[2:8])
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(sys.stdin.buffer.read())
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    gray = gdcm.PhotometricInterpretation.GetPIType("MONOCHROME2")
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(gray))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    image.SetPixelFormat(gdcm.PixelFormat(1, allocated, stored, stored - 1, signed))
    # GDCM hands its bytes over as text.
    sys.stdout.buffer.write(image.GetBuffer().encode("utf-8", "surrogateescape"))


if __name__ == "__main__":
    main()
