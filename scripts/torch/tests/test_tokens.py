"""Documents, their tokens on disk, and the sequences cut from them."""

import tempfile
import unittest
from pathlib import Path

import numpy

from sherry_torch.tokens import PackedTokens, documents, tokens_of


class Letters:
    """A tokenizer of the letters a to z, whose end token is 26; it begins each text with `begin`, if any."""

    eos_token_id: int | None = 26

    def __init__(self, begin: int | None = None) -> None:
        self.begin = begin

    def __call__(self, texts: list[str], verbose: bool) -> dict[str, list[list[int]]]:
        begin = [] if self.begin is None else [self.begin]
        return {"input_ids": [begin + [ord(letter) - ord("a") for letter in text] for text in texts]}

    def get_vocab(self) -> dict[str, int]:
        return {chr(ord("a") + index): index for index in range(26)}


class Tokens(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.text = self.folder / "text.txt"

    def test_documents_end_at_separator_lines_or_with_the_file(self) -> None:
        self.text.write_text("one\ntwo\n---\n\nthree\n---\n")
        self.assertEqual(list(documents(self.text, "---")), ["one\ntwo", "three"])
        self.assertEqual(list(documents(self.text, "")), ["one\ntwo\n---\n\nthree\n---"])

    def test_every_document_is_closed_and_empty_ones_are_left_out(self) -> None:
        self.text.write_text("abc\n---\n---\nde\n")
        path = tokens_of(self.text, Letters(), "---", self.folder / "tokens")
        self.assertEqual(numpy.fromfile(path, dtype="<u4").tolist(), [0, 1, 2, 26, 3, 4, 26])
        self.assertEqual(tokens_of(path, Letters(), "---", self.folder), path)
        path = tokens_of(self.text, Letters(begin=25), "---", self.folder / "begun")
        self.assertEqual(numpy.fromfile(path, dtype="<u4").tolist(), [25, 0, 1, 2, 26, 25, 3, 4, 26])

    def test_tokens_are_kept_by_content(self) -> None:
        self.text.write_text("abc\n")
        first = tokens_of(self.text, Letters(), "", self.folder)
        modified_ns = first.stat().st_mtime_ns
        self.assertEqual(tokens_of(self.text, Letters(), "", self.folder), first)
        self.assertEqual(first.stat().st_mtime_ns, modified_ns)
        self.text.write_text("abd\n")
        self.assertNotEqual(tokens_of(self.text, Letters(), "", self.folder), first)

    def test_sequences_come_file_after_file_and_rests_are_left_out(self) -> None:
        paths = []
        for index, count in enumerate((5, 0, 7)):
            path = self.folder / f"{index}.u32"
            numpy.arange(count, dtype="<u4").tofile(path)
            paths.append(path)
        sequences = PackedTokens(paths, 2)
        self.assertEqual(len(sequences), 5)
        read = [sequences[index]["input_ids"].tolist() for index in range(5)]
        self.assertEqual(read, [[0, 1], [2, 3], [0, 1], [2, 3], [4, 5]])
        self.assertEqual(sequences[3]["labels"].tolist(), [2, 3])
        with self.assertRaises(IndexError):
            sequences[5]

    def test_too_little_text_and_a_tokenizer_without_an_end_are_refused(self) -> None:
        self.text.write_text("abc\n")
        path = tokens_of(self.text, Letters(), "", self.folder)
        with self.assertRaisesRegex(ValueError, "expected at least 8 tokens, one sequence, received fewer"):
            PackedTokens([path], 8)
        endless = Letters()
        endless.eos_token_id = None
        with self.assertRaisesRegex(ValueError, "expected an end token"):
            tokens_of(self.text, endless, "", self.folder)


if __name__ == "__main__":
    unittest.main()
