"""Documents: the sealed PDF with its evidence, its verification, and the report as plain text.

`pdf.build_pdf` lays a report out, `seal.seal` signs the bytes, `verify_pdf.verify_pdf` says what a
file is. The same report is attached to each PDF as canonical JSON (`record`).
"""
