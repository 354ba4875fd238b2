"""Text to token ids: a unigram tokenizer in the manner of SentencePiece."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

_WORD_BEGINS = "▁"
_CACHED_WORDS = 65_536
_CACHED_LENGTH = 32
"""Characters of the longest word that is remembered; some scripts write a page as one word."""
_RUN = 8_192
"""Letters after which a long word is split by itself again: the tokens before that point then
do not depend on what follows, and a text may be cut after it."""
_UNKNOWN_PENALTY = 10.0


class Unigram:
    """Splits each word into the pieces whose scores, log probabilities, add up to most.

    Characters are normalised by a table, runs of spaces to one. Each word is split by
    itself, which is exact, since no piece of the vocabulary spans two words.
    """

    def __init__(
        self,
        pieces: Sequence[str],
        scores: Sequence[float],
        normalisation: Mapping[int, str],
        unknown: int,
    ) -> None:
        self._unknown = unknown
        self._scores = scores
        self._unknown_score = min(scores) - _UNKNOWN_PENALTY
        self._lengths = [len(piece) for piece in pieces]
        self._lengths[unknown] = 1  # the unknown token covers one character
        self._ids = {piece: number for number, piece in enumerate(pieces)}
        del self._ids[pieces[unknown]]  # what spells "<unk>" is ordinary text
        self._longest: dict[str, int] = {}
        for piece in sorted(pieces, key=len):
            self._longest[piece[0]] = len(piece)
        # NUL is dropped, and half of a surrogate pair, which is no character, becomes a space.
        self._table = {**normalisation, 0: "", **dict.fromkeys(range(0xD800, 0xE000), " ")}
        self._split_again = lru_cache(_CACHED_WORDS)(self._split)

    def encode(self, text: str, most: int | None = None) -> list[int]:
        """Token ids without markers, `most` at most; a character in no piece is unknown.

        With `most`, only the first `enough(most)` code points are read.
        """
        if most is not None:
            text = text[: self.enough(most)]
        spaced = re.sub(" {2,}", " ", " " + text.translate(self._table))
        return [piece for word in spaced[1:].split(" ") for piece in self._word(word)][:most]

    def enough(self, tokens: int) -> int:
        """How many code points of a text are read for so many tokens.

        They are fewer where most of these characters are dropped or are spaces.
        """
        return tokens * max(self._lengths) + _RUN

    def encode_spans(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Token ids as `encode` gives them, and the code points of the text that each covers.

        The space before a word belongs to no token, so a token that is only "▁" has an empty
        span. A character that is normalised to several belongs to each token that has a part
        of it.

        >>> tokenizer = Unigram(["<unk>", "▁", "▁Ab", "c"], [0, -3, -1, -2], {}, 0)
        >>> tokenizer.encode_spans("  Abc Ab")
        ([2, 3, 2], [(2, 4), (4, 5), (6, 8)])
        """
        letters: list[str] = []
        origins: list[int] = []
        for place, char in enumerate(text):
            for letter in self._table.get(ord(char), char):
                if letter != " " or (letters and letters[-1] != " "):
                    letters.append(letter)
                    origins.append(place)
        ids: list[int] = []
        spans: list[tuple[int, int]] = []
        begin = 0
        for word in "".join(letters).split(" "):
            at = begin - 1  # the word's first piece begins with "▁", which stands for the space
            for piece in self._word(word):
                covered = origins[max(at, begin) : at + self._lengths[piece]]
                at += self._lengths[piece]
                if covered:
                    spans.append((covered[0], covered[-1] + 1))
                else:  # "▁" alone: an empty span where its word begins
                    end = spans[-1][1] if spans else 0
                    place = origins[begin] if begin < len(origins) else end
                    spans.append((place, place))
                ids.append(piece)
            begin += len(word) + 1
        return ids, spans

    def _word(self, word: str) -> tuple[int, ...]:
        word = _WORD_BEGINS + word
        if len(word) <= _CACHED_LENGTH:
            return self._split_again(word)
        runs = (word[start : start + _RUN] for start in range(0, len(word), _RUN))
        return tuple(piece for run in runs for piece in self._split(run))

    def _split(self, word: str) -> tuple[int, ...]:
        """Viterbi: the best way to each place, then back along it."""
        best = [0.0] + [-1e30] * len(word)
        steps = [(0, 0)] * (len(word) + 1)
        for start, char in enumerate(word):
            here = best[start]
            if here + self._unknown_score > best[start + 1]:
                best[start + 1] = here + self._unknown_score
                steps[start + 1] = start, self._unknown
            longest = min(len(word), start + self._longest.get(char, 0))
            for end in range(start + 1, longest + 1):
                piece = self._ids.get(word[start:end])
                if piece is not None and here + self._scores[piece] > best[end]:
                    best[end] = here + self._scores[piece]
                    steps[end] = start, piece
        ids = []
        place = len(word)
        while place:
            place, piece = steps[place]
            ids.append(piece)
        return tuple(reversed(ids))
