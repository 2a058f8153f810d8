"""How lambda moves: its ends, its turning points, and settings that leave it no room."""

import unittest

from golden import vectors

from sherry_torch.schedule import SCHEDULES, ResidualSchedule


class Schedules(unittest.TestCase):
    def test_every_step_is_the_other_trainers(self) -> None:
        self.assertGreater(len(vectors()["schedules"]), 3)
        for entry in vectors()["schedules"]:
            schedule = ResidualSchedule(entry["schedule"], entry["warm_up"], entry["final_phase"])
            steps = len(entry["lambdas"])
            for step, expected in enumerate(entry["lambdas"]):
                # The file has twelve digits; 0 is 0 on both sides.
                self.assertAlmostEqual(schedule.value(step, steps), expected, delta=1e-12)
                self.assertEqual(schedule.value(step, steps) == 0.0, expected == 0)

    def test_the_published_one_rises_for_a_tenth_and_falls_to_exactly_0_in_the_final_phase(self) -> None:
        schedule = ResidualSchedule()
        values = [schedule.value(step, 200) for step in range(200)]
        self.assertEqual(values[0], 0.0)
        self.assertEqual(values[10], 0.5)
        self.assertEqual(values[20], 1.0)
        self.assertAlmostEqual(values[105], 0.5)
        self.assertGreater(values[189], 0.0)
        self.assertEqual(values[190:], [0.0] * 10)

    def test_every_schedule_rises_once_falls_once_and_stays_in_0_to_1(self) -> None:
        for name in SCHEDULES:
            for steps in (1, 2, 7, 30, 1000):
                schedule = ResidualSchedule(name)
                values = [schedule.value(step, steps) for step in range(steps)]
                peak = values.index(max(values))
                self.assertEqual(values[: peak + 1], sorted(values[: peak + 1]))
                self.assertEqual(values[peak:], sorted(values[peak:], reverse=True))
                self.assertTrue(all(0.0 <= value <= 1.0 for value in values))
                self.assertEqual(values[-1], 0.0)
                self.assertEqual(schedule.value(steps + 5, steps), 0.0)

    def test_without_a_warm_up_it_begins_at_1(self) -> None:
        for name in SCHEDULES:
            self.assertEqual(ResidualSchedule(name, warm_up=0.0).value(0, 100), 1.0)

    def test_halfway_values_tell_the_schedules_apart(self) -> None:
        halfway = {name: ResidualSchedule(name, 0.0, 0.0).value(50, 101) for name in SCHEDULES}
        self.assertAlmostEqual(halfway["cosine"], 0.5)
        self.assertAlmostEqual(halfway["linear"], 0.5)
        self.assertAlmostEqual(halfway["exponential"], 0.1)
        self.assertAlmostEqual(ResidualSchedule("cosine", 0.0, 0.0).value(25, 101), 0.853553, places=6)

    def test_settings_without_room_are_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "schedule: expected one of cosine, linear, exponential, received 'step'"):
            ResidualSchedule("step")
        for warm_up, final_phase in ((0.5, 0.5), (-0.1, 0.1), (0.1, -0.1), (float("nan"), 0.1)):
            with self.assertRaisesRegex(ValueError, "warm_up and final_phase: expected shares"):
                ResidualSchedule("cosine", warm_up, final_phase)


if __name__ == "__main__":
    unittest.main()
